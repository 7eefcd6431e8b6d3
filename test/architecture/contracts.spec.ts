import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { CallerClass, METHODS, RateClass } from '../../libs/protocol/dist/index.js';

const root = resolve(dirname(new URL(import.meta.url).pathname), '../..');

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
}

const workspaces = new Map<string, Manifest>();
for (const parent of ['apps', 'libs']) {
  for (const name of readdirSync(join(root, parent))) {
    const manifest = JSON.parse(readFileSync(join(root, parent, name, 'package.json'), 'utf8')) as Manifest;
    workspaces.set(manifest.name, manifest);
  }
}

function closure(name: string, seen = new Set<string>()): Set<string> {
  for (const dependency of Object.keys(workspaces.get(name)?.dependencies ?? {})) {
    if (seen.has(dependency)) continue;
    seen.add(dependency);
    closure(dependency, seen);
  }
  return seen;
}

describe('what the contracts and packages declare', () => {
  it.each([...METHODS.values()].map((contract) => [contract.name, contract] as const))(
    '%s says who may call it and what it costs',
    (_name, contract) => {
      expect(CallerClass[contract.caller]).not.toBe('UNSPECIFIED');
      expect(RateClass[contract.rate]).not.toBe('UNSPECIFIED');
      expect(contract.caller).toBeGreaterThan(0);
      expect(contract.rate).toBeGreaterThan(0);
    },
  );

  it.each(['gateway', 'auth', 'contacts', 'directory', 'relay', 'standalone'])('%s ships nothing that can hold an MLS secret', (app) => {
    const shipped = closure(`@sotto/${app}`);
    expect(shipped).toContain('@sotto/protocol');
    for (const secretHolder of ['ts-mls', '@sotto/mls', '@sotto/client']) expect(shipped).not.toContain(secretHolder);
  });

  it('would notice: the client does ship them', () => {
    expect(closure('@sotto/client')).toContain('ts-mls');
  });
});
