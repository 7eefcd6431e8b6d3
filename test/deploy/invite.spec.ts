import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, type RunningServer, startNats, temporaryFolder } from '@sotto/testing';

const root = resolve(import.meta.dirname, '../..');
const PASSWORD = 'password-of-admin';

describe('the command that makes an invite', () => {
  let folder: string;
  let nats: RunningServer;
  let silent: Server;

  /** Its status and what it says of its failure. */
  function invite(natsUrl: string | undefined, password = PASSWORD): Promise<{ code: unknown; said: string }> {
    writeFileSync(join(folder, 'password'), password);
    const { NATS_URL: _, ...env } = process.env;
    const environment = { ...env, ...(natsUrl && { NATS_URL: natsUrl }), ADMIN_NATS_PASSWORD_FILE: join(folder, 'password') };
    return new Promise((done) => {
      execFile(process.execPath, ['deploy/invite.mjs', 'alice'], { cwd: root, env: environment }, (error, stdout, stderr) =>
        done({ code: error?.code, said: `${stdout}${stderr}` }),
      );
    });
  }

  beforeAll(async () => {
    folder = await temporaryFolder('invite');
    nats = await startNats({ config: `authorization { users: [{ user: admin, password: "${PASSWORD}" }] }` });
    silent = createServer();
    await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
  });
  afterAll(async () => {
    silent.close();
    await nats.stop();
  });

  it.each([
    ['nobody listens there', async () => `nats://127.0.0.1:${await freePort()}`, 'connection refused'],
    ['it is silent', () => `nats://127.0.0.1:${(silent.address() as AddressInfo).port}`, 'did not answer within 5 s'],
  ])('gives up when the bus is away because %s, and says where to look', async (_why, url, why) => {
    const { code, said } = await invite(await url());
    expect([code, said]).toEqual([1, expect.stringMatching(/^no invite: .*\n$/)]);
    expect(said).toContain(why);
    expect(said).toContain('docker compose ps nats');
  });

  it('gives up when the bus refuses it, when auth is away, and when it is told of no bus', async () => {
    const failures = [await invite(nats.url, 'another'), await invite(nats.url), await invite(undefined)];
    expect(failures).toEqual([
      { code: 1, said: expect.stringContaining('does not take this user and password') },
      { code: 1, said: 'no invite: A part of the server is away. Try again later.\n' },
      { code: 1, said: "no invite: NATS_URL is not set. Run this in auth's container.\n" },
    ]);
  });
});
