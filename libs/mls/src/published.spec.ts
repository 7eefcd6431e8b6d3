import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';

const root = resolve(import.meta.dirname, '../../..');

interface Packed {
  readonly files: readonly { readonly path: string }[];
}

function packedFiles(folder: string): string[] {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--offline', '-w', folder], {
    cwd: root,
    encoding: 'utf8',
    stdio: 'pipe',
  });
  const answer = JSON.parse(output) as Packed[] | Record<string, Packed>;
  const [packed] = Object.values(answer);
  return (packed?.files ?? []).map(({ path }) => path);
}

describe('The published engine', () => {
  let files: string[];
  const textOf = (file: string) => readFileSync(join(root, 'libs/mls', file), 'utf8');

  beforeAll(() => {
    files = packedFiles('libs/mls');
  });

  it('brings the mended library and its licence', () => {
    expect(files).toEqual(expect.arrayContaining(['dist/ts-mls/LICENSE', 'dist/ts-mls/clientState.js', 'dist/ts-mls/clientState.d.ts']));
    expect(textOf('dist/ts-mls/LICENSE')).toContain('MIT License');
    expect(textOf('dist/ts-mls/clientState.js')).toContain('grouped.group_context_extensions.length > 0');
  });

  it('runs on it and not on what the registry has', () => {
    const scripts = files.filter((file) => /\.(js|d\.ts)$/.test(file));
    expect(scripts).toContain('dist/engine.js');
    for (const file of scripts) expect(textOf(file)).not.toMatch(/["']ts-mls["'/]/);
    expect(textOf('dist/engine.js')).toContain("from '#ts-mls/clientState.js'");
  });

  it('brings every module that one of its modules imports', () => {
    const published = new Set(files);
    for (const file of files.filter((each) => /\.(js|d\.ts)$/.test(each))) {
      for (const [, specifier = ''] of textOf(file).matchAll(/\b(?:from|import)\s*\(?\s*["']((?:\.|#ts-mls)[^"']*)["']/g)) {
        const target = specifier.startsWith('#') ? specifier.replace('#ts-mls', 'dist/ts-mls') : join(file, '..', specifier);
        expect(published).toContain(file.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target);
      }
    }
  });
});
