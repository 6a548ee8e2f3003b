import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { studySchema, textOf, type StudyData, type StudyResult } from '../../src/study/data.ts';
import { findingsOf, type Verdict } from '../../src/study/findings.ts';
import { studyParts } from '../../src/study/matrix.ts';
import { renderStudy } from '../../src/study/render.ts';
import { workloads } from '../../src/workloads/registry.ts';

const folder = join(import.meta.dirname, '../../docs/study');
const text = readFileSync(join(folder, 'data.json'), 'utf8');
const committed = studySchema.parse(JSON.parse(text));

describe('the study in the repository', () => {
  it('says what its data says, and nothing else', () => {
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toBe(renderStudy(committed));
  });

  it('has one list of samples a line', () => {
    const asWritten: StudyData = JSON.parse(text);
    expect(text).toBe(textOf(asWritten));
    const lines = text.split('\n').filter((line) => line.includes('"samplesMs"'));
    expect(lines).toHaveLength(
      committed.parts.flatMap(({ answer }) => answer.cells.flatMap(({ results }) => results)).length,
    );
    for (const line of lines) expect(line).toMatch(/^ +"samplesMs": \[ [\d., ]+ \],$/u);
  });

  it('has every part, with rounds enough for its intervals', () => {
    expect(committed.parts.map(({ name }) => name)).toEqual(studyParts.map(({ name }) => name));
    for (const { name, answer } of committed.parts) {
      expect([name, answer.comparison.rounds >= 10]).toEqual([name, true]);
    }
  });

  it('has every workload there is', () => {
    const measured = new Set(studyParts.map(({ workload }) => workload));
    expect(
      workloads.map(({ declaration }) => declaration.name).filter((name) => !measured.has(name)),
    ).toEqual([]);
  });

  it('holds every finding against figures', () => {
    for (const { claim, figures } of findingsOf(committed))
      expect([claim, figures.length > 0]).toEqual([claim, true]);
  });
});

describe('the text of the data', () => {
  it('is the same data, whatever brackets and line breaks are in its words', () => {
    const [part] = committed.parts;
    if (part === undefined) throw new Error('no part');
    const name = 'a [b], {c\n  d}, "e\\" [';
    const data = { parts: [{ ...part, name }] };
    expect(JSON.parse(textOf(data))).toEqual(data);
  });
});

describe('a finding', () => {
  it.each([
    ['Subinterpreters beat subprocesses', 'fib-long', { subprocess: 100, 'isolate-threads': 50 }, true],
    ['Subinterpreters beat subprocesses', 'fib-long', { subprocess: 50, 'isolate-threads': 100 }, false],
    ['Requests to S3', 's3', { 'sdk-single': 1_000, 'presigned-async': 90 }, true],
    ['Requests to S3', 's3', { 'sdk-single': 1_000, 'presigned-async': 150 }, false],
    ['Three calls', 'bedrock', { 'sdk-single': 1_000, 'presigned-async': 390 }, true],
    ['Three calls', 'bedrock', { 'sdk-single': 1_000, 'presigned-async': 450 }, false],
    ['Threads gain nothing', 'fib-long', { single: 100, threads: 100 }, true],
    ['Threads gain nothing', 'fib-long', { single: 100, threads: 110 }, true],
    ['Threads gain nothing', 'fib-long', { single: 100, threads: 60 }, false],
  ])('%s: of %s %j is %j', (claim, part, times, holds) => {
    expect(found(claim, dataOf(part, times))).toBe(holds);
  });

  it.each([
    [415, 'as far as it can'],
    [445, false],
    [395, true],
  ])('of requests, where no way of sending could be below 410 ms, is at %j ms %j', (ms, holds) => {
    const times = { 'sdk-single': 1_000, 'presigned-async': ms };
    expect(found('Three calls', dataOf('bedrock', times, 10, 410))).toBe(holds);
  });

  it.each([
    [60, false],
    [100, 'not everywhere'],
  ])(
    'is refuted for the runtimes in which it is: with threads at 60 and %j ms of 100 it is %j',
    (ms, holds) => {
      const [gains, other] = [60, ms].map((threads) => dataOf('fib-long', { single: 100, threads }).parts[0]);
      if (gains === undefined || other === undefined) throw new Error('no part');
      const cells = [...gains.answer.cells, ...other.answer.cells];
      const data = { parts: [{ ...gains, answer: { ...gains.answer, cells } }] };
      expect(found('Threads gain nothing', data)).toBe(holds);
    },
  );

  it('is not said of data that has too few rounds, or lacks what it is about', () => {
    const times = { single: 100, threads: 60 };
    expect(found('Threads gain nothing', dataOf('fib-long', times, 3))).toBeNull();
    expect(found('Threads gain nothing', dataOf('fib-long', { single: 100 }))).toBeNull();
    expect(found('A race returns', { parts: [] })).toBeNull();
  });
});

function found(claim: string, data: StudyData): Verdict {
  const finding = findingsOf(data).find((one) => one.claim.startsWith(claim));
  if (finding === undefined) throw new Error(`no finding begins with "${claim}"`);
  return finding.holds;
}

/** One part with these strategies, whose rounds differ a little. */
function dataOf(
  name: string,
  times: Readonly<Record<string, number>>,
  rounds = 10,
  limitMs: number | null = null,
): StudyData {
  const template = committed.parts.find((part) => part.name === name);
  const [cell] = template?.answer.cells ?? [];
  const [result] = cell?.results ?? [];
  if (template === undefined || cell === undefined || result === undefined)
    throw new Error(`no part ${name}`);
  const results = Object.entries(times).map(([strategy, ms]): StudyResult => {
    const samplesMs = Array.from({ length: rounds }, (_, round) => ms * (1 + ((round * 7) % 10) / 500));
    const analysis = result.analysis && { ...result.analysis, limitMs };
    return { ...result, strategy, samplesMs, fanOutSamplesMs: samplesMs, medianMs: ms, analysis };
  });
  return { parts: [{ name, answer: { ...template.answer, cells: [{ ...cell, results }] } }] };
}
