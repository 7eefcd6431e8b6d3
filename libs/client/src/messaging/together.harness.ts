import { expect } from '@jest/globals';
import type { Letter, Phone } from './post-office.harness.js';

/** All of them are in the same state of the group, which has these members, and nothing waits. */
export function expectTogether(group: string, phones: readonly Phone[], members = phones.map(({ name }) => name).sort()): void {
  for (const phone of phones) expect([phone.name, phone.members(group)]).toEqual([phone.name, members]);
  expect(new Set(phones.map((phone) => phone.authenticator(group))).size).toBe(1);
  for (const phone of phones) expect([phone.name, phone.queue, phone.view(group).hold]).toEqual([phone.name, [], undefined]);
}

/** A group of all, made by the first. */
export async function hikers(...phones: Phone[]): Promise<string> {
  const [first, ...others] = phones;
  const group = await first!.createGroup('hiking', ...others);
  expectTogether(group, phones);
  return group;
}

export const isTo = (phone: Phone, kind: Letter['kind']) => (letter: Letter) => letter.to === phone && letter.kind === kind;
export const isOf = (phone: Phone, kind: Letter['kind']) => (letter: Letter) => letter.from === phone && letter.kind === kind;
