import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const files = globSync(['*.md', '{deploy,docs,src}/**/*.md'], { cwd: root }).toSorted();

describe('the links of the documentation', () => {
  it('are many', () => {
    expect(files).toContain('README.md');
    expect(files.flatMap(linksOf).length).toBeGreaterThan(30);
  });

  it.each(files)('%s: lead to files and headings that there are', (file) => {
    expect(linksOf(file).filter((link) => !leadsSomewhere(file, link))).toEqual([]);
  });
});

/** Those within the repository. */
function linksOf(file: string): readonly string[] {
  return [...textOf(file).matchAll(/\]\(([^)\s]+)\)/gu)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/u.test(link));
}

function leadsSomewhere(file: string, link: string): boolean {
  const [path = '', heading] = link.split('#');
  const target = path === '' ? file : join(dirname(file), path);
  if (!existsSync(join(root, target))) return false;
  return heading === undefined || anchorsOf(target).includes(heading);
}

/** As GitHub makes them of headings. */
function anchorsOf(file: string): readonly string[] {
  return [...textOf(file).matchAll(/^#+ (.+)$/gmu)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{Letter}\p{Number}\- ]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}
