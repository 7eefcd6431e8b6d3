import { lookup } from 'node:dns/promises';
import { createConnection, isIP } from 'node:net';
import { ClientError, probeServer, ServerBusyError, type ShownServer } from '@sotto/client';
import { nodeSocketFactory } from '@sotto/client/node';
import { ASK_OPERATOR } from '../device/interception.js';
import { hostForUrl } from '../link/join-link.js';
import { broken, type Finding, good, look } from './finding.js';

export interface InspectedServer {
  readonly host: string;
  readonly port: number;
  /** Of the user there; undefined: nothing that is stored here is looked at. */
  readonly name: string | undefined;
  readonly pin: string | undefined;
  readonly tls: boolean;
  /** The device's folder, when it is not the default one. */
  readonly store: string | undefined;
}

const CONNECT_TIMEOUT_MS = 5_000;

export function urlOf({ tls, host, port }: InspectedServer): string {
  return `${tls ? 'wss' : 'ws'}://${hostForUrl(host)}:${port}/`;
}

/** From the name to the certificate; ends at the first that leaves no further one to be seen. Tells the server nothing. */
export async function checkServer(server: InspectedServer): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const check of [checkName, checkConnection]) {
    findings.push(await check(server));
    if (findings.at(-1)?.health === 'broken') return findings;
  }
  return [...findings, ...(await checkGreeting(server))];
}

async function checkName({ host }: InspectedServer): Promise<Finding> {
  if (isIP(host) !== 0) return good('name', `${host} is an address: there is no name to look up`);
  try {
    const addresses = await lookup(host, { all: true });
    return good('name', `${host} is ${addresses.map(({ address }) => address).join(', ')}`);
  } catch (error) {
    return broken('name', `the name ${host} leads nowhere (${codeOf(error)})`, 'is it spelled right, and is this machine on the network?');
  }
}

async function checkConnection({ host, port }: InspectedServer): Promise<Finding> {
  const socket = createConnection({ host, port });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject);
      socket.setTimeout(CONNECT_TIMEOUT_MS, () => reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
    });
    return good('connection', `port ${port} answers`);
  } catch (error) {
    return broken(
      'connection',
      `nothing answers at port ${port} (${codeOf(error)})`,
      'does the server run, is that its port, and does a firewall let you through?',
    );
  } finally {
    socket.destroy();
  }
}

async function checkGreeting(server: InspectedServer): Promise<Finding[]> {
  try {
    const shown = await probeServer(urlOf(server), nodeSocketFactory, server.pin);
    return [good('server', 'a Sotto server greets'), checkPin(shown), checkClock(shown, Date.now())];
  } catch (error) {
    if (error instanceof ServerBusyError)
      return [
        broken(
          'server',
          error.message,
          'if that lasts, its operator can let in more (sotto host -s SIZE), and finds in its log what else it may be',
        ),
      ];
    if (!(error instanceof ClientError)) throw error;
    const advice = server.tls
      ? 'is that the address of a Sotto server, is it behind TLS at all (leave out --tls), and does this machine trust its certificate?'
      : 'is that the address of a Sotto server, and is it behind TLS (--tls)?';
    return [broken('server', `no Sotto server greets: ${error.message}`, advice)];
  }
}

function checkPin({ pin, trusted }: ShownServer): Finding {
  if (trusted === true) return good('pin', 'it shows the identity that is known here');
  if (trusted === undefined)
    return look('pin', `its identity is not known here: ${pin}`, 'compare it with what its operator tells, and give it after -k');
  return broken('pin', `it shows another identity than the one that is known here: ${pin}`, ASK_OPERATOR);
}

/** The certificate is made a few minutes into the past and renewed long before its end, so a clock that is right is well within. */
export function checkClock({ notBefore, notAfter }: Pick<ShownServer, 'notBefore' | 'notAfter'>, now: number): Finding {
  const advice = 'set the clock of this machine; when it is right, tell the operator that the server is wrong';
  // A time that no Date can hold is in no order with others.
  if (!(now >= notBefore.getTime()))
    return broken('clock', `this clock is behind the server's by ${duration(notBefore.getTime() - now)} or more`, advice);
  if (now >= notAfter.getTime())
    return broken('clock', `this clock is ahead of the server's by ${duration(now - notAfter.getTime())} or more`, advice);
  return good('clock', `its certificate is good by this clock, for ${duration(notAfter.getTime() - now)} more`);
}

function duration(ms: number): string {
  const minutes = Math.ceil(ms / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}
