import sqlParser from 'node-sql-parser';
import { describe, expect, it } from 'vitest';
import { modelIdOf } from '../../src/emulator/bedrock-model-id.ts';
import { replyTo, tokensOf, type Prompt } from '../../src/emulator/reply.ts';

function prompt(text: string, changes: Partial<Prompt> = {}): Prompt {
  return { system: '', turns: [{ role: 'user', text }], maxTokens: null, ...changes };
}

describe('what the emulated model says', () => {
  it('is a few sentences, the same ones for the same prompt', () => {
    const { text } = replyTo(prompt('Why?'), 'asked');
    expect(text.match(/\./g)).toHaveLength(4);
    expect(replyTo(prompt('Why?'), 'asked').text).toBe(text);
    expect(replyTo(prompt('Why not?'), 'asked').text).not.toBe(text);
  });

  it('is a JSON object when the prompt asks for JSON, or the system does', () => {
    for (const asked of [prompt('Why? Answer in JSON.'), prompt('Why?', { system: 'Only JSON.' })]) {
      expect(JSON.parse(replyTo(asked, 'asked').text)).toMatchObject({
        topic: expect.any(String),
        summary: expect.any(String),
        score: expect.any(Number),
      });
    }
  });

  it('is a SQL statement when the prompt asks for SQL', () => {
    for (let index = 0; index < 20; index += 1) {
      const { text } = replyTo(prompt(`Write SQL number ${index}.`), 'asked');
      expect(() => new sqlParser.Parser().astify(text)).not.toThrow();
    }
  });

  it.each(['Answer in JSON.', 'Write SQL.'])('is neither when it is nonsense: %s', (text) => {
    const nonsense = replyTo(prompt(text), 'nonsense').text;
    expect(() => JSON.parse(nonsense)).toThrow(/JSON/);
    expect(() => new sqlParser.Parser().astify(nonsense)).toThrow(/Expected/);
  });

  it('is cut at the most tokens wanted, and only when there are more', () => {
    const { tokens, stopReason } = replyTo(prompt('Why?'), 'asked');
    expect(stopReason).toBe('end_turn');
    const exact = replyTo(prompt('Why?', { maxTokens: tokens.length }), 'asked');
    expect([exact.tokens, exact.stopReason]).toEqual([tokens, 'end_turn']);
    const cut = replyTo(prompt('Why?', { maxTokens: tokens.length - 1 }), 'asked');
    expect([cut.text, cut.stopReason]).toEqual([tokens.slice(0, -1).join(''), 'max_tokens']);
  });
});

describe('tokens', () => {
  it.each(['', ' ', 'a', 'It is 12345.6 ms,\n\n so  far. ', 'ä 漢字 🙂', '{"a": [1, 2]}'])(
    'put together are the text again: "%s"',
    (text) => {
      expect(tokensOf(text).join('')).toBe(text);
    },
  );

  it('are about as many as a model would count: four characters or so each', () => {
    const { text, tokens } = replyTo(prompt('Why?'), 'asked');
    expect(text.length / tokens.length).toBeGreaterThan(3);
    expect(text.length / tokens.length).toBeLessThan(7);
  });
});

describe('the id of a model', () => {
  it.each([
    'anthropic.claude-3-haiku-20240307-v1:0',
    'anthropic.claude-3-haiku-20240307-v1%3A0',
    'anthropic.claude-3-haiku-20240307-v1:0:200k',
    'us.anthropic.claude-sonnet-4-20250514-v1:0',
    'us-gov.anthropic.claude-sonnet-4-20250514-v1:0',
    'global.anthropic.claude-opus-4-6-v1',
    'arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0',
    'arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc123',
  ])('is Anthropic’s, encoded or not: %s', (id) => {
    expect(modelIdOf(id)).toBe(decodeURIComponent(id));
  });

  it.each(['', 'claude-3', 'anthropic.', 'amazon.nova-lite-v1:0', '%', '%zz', 'arn:aws:s3:::bucket', 'a/b'])(
    'is no other: "%s"',
    (id) => {
      expect(modelIdOf(id)).toBeNull();
    },
  );
});
