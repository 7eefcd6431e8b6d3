import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { ErrorCode, RegisterRequestSchema } from '@sotto/protocol';
import { randomBytes } from 'node:crypto';
import { type AuthConfig, DEFAULT_AUTH_CONFIG, type RegistrationPolicy } from '../auth.config.js';
import { serverIdentityOf } from '../identity/server-identity.js';
import { createInviteCode } from '../invites/create-invite-code.js';
import { InviteMaker } from '../invites/invites.js';
import type { AccountsStore, NewAccount } from './accounts.store.js';
import type { PasswordCheck } from './password-check.js';
import type { PasswordHasher } from './password-hasher.js';
import { Registration } from './registration.js';

const identity = serverIdentityOf(randomBytes(32));
const TAGGED = /^alice\.[0-9]{4,8}$/;

/** The rule of AccountsStore.create, and no more. */
function accountsWith(taken: string[]) {
  const names = new Set(taken);
  const invites = new Set<string>();
  const create = ({ name, invite }: NewAccount) => {
    if (invite !== null && invites.has(invite)) return Promise.resolve('invite-used' as const);
    if (names.has(name)) return Promise.resolve('name-taken' as const);
    names.add(name);
    if (invite !== null) invites.add(invite);
    return Promise.resolve('created' as const);
  };
  const findByInvite = () => Promise.resolve(undefined);
  return { create, findByInvite } as Partial<AccountsStore> as AccountsStore;
}

function registrationOf(policy: RegistrationPolicy, taken: string[] = []) {
  const config: AuthConfig = { ...DEFAULT_AUTH_CONFIG, registration: policy, serverName: 'sotto.test', identity };
  const hasher = { hash: () => Promise.resolve('a hash') } as Partial<PasswordHasher> as PasswordHasher;
  const passwords = {} as PasswordCheck;
  const registration = new Registration(config, accountsWith(taken), hasher, new InviteMaker(config, identity), passwords);
  return (invite = '', name = 'alice') =>
    registration
      .register(create(RegisterRequestSchema, { name, invite, password: 'a long passphrase' }), '192.0.2.1')
      .then(({ name: got }) => got);
}

const invite = (name = '') => createInviteCode(identity, DEFAULT_AUTH_CONFIG, name).code;

describe('who gets which name', () => {
  it('where registration is open: a tag, whether or not the name is free, but for an invite that carries it', async () => {
    for (const taken of [[], ['alice']]) expect(await registrationOf('open', taken)()).toMatch(TAGGED);
    expect(await registrationOf('open')(invite('alice'))).toBe('alice');
    expect(await registrationOf('open', ['alice'])(invite('alice'))).toMatch(TAGGED);
  });

  it('where it takes an invite: nobody without one, and the exact name only by an invite for just that name', async () => {
    const register = registrationOf('invite');
    await expect(register()).rejects.toMatchObject({ code: ErrorCode.REGISTRATION_CLOSED });
    expect(await register(invite())).toMatch(TAGGED);
    expect(await register(invite('bob'))).toMatch(TAGGED);
    expect(await register(invite('alice'))).toBe('alice');
  });

  it('where it is closed: nobody, invited or not', async () => {
    for (const code of ['', invite(), invite('alice')])
      await expect(registrationOf('closed')(code)).rejects.toMatchObject({ code: ErrorCode.REGISTRATION_CLOSED });
  });

  it('tries other tags, longer ones in the end, while those that it tries are taken', async () => {
    const taken = Array.from({ length: 10_000 }, (_, i) => `alice.${String(i).padStart(4, '0')}`);
    expect(await registrationOf('open', taken)()).toMatch(/^alice\.[0-9]{5,8}$/);
  });
});
