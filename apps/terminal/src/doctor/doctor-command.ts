import type { DoctorCommand } from '../command-line/commands/doctor.js';
import { defaultStoreFolder, serversFile } from '../command-line/folders.js';
import { storeFileIn } from '../device/device.js';
import { hostForUrl } from '../link/join-link.js';
import { readPassword } from '../password/password.js';
import { readServers, rememberedPins } from '../servers/remembered-servers.js';
import { broken, type Finding, findingLine, look } from './finding.js';
import { checkMachine } from './machine-check.js';
import { checkServer, type InspectedServer } from './server-check.js';
import { checkSession } from './session-check.js';
import { checkStore } from './store-check.js';

interface Subject {
  readonly about: string;
  readonly findings: readonly Finding[];
}

/** False when something is broken. */
export async function runDoctor(command: DoctorCommand, out: (line: string) => void): Promise<boolean> {
  const terminal = { input: process.stdin, output: process.stderr };
  const password = command.password === undefined ? undefined : await readPassword(command.password, terminal, false);
  const machine = checkMachine({ env: process.env, output: process.stdout, node: process.versions.node });
  const { servers, trouble } =
    command.server === undefined ? await remembered() : { servers: [await withKnownPin(command.server)], trouble: [] };
  const subjects = [
    { about: 'this machine', findings: [...machine, ...trouble] },
    ...(await Promise.all(servers.map((server) => subjectOf(server, password)))),
  ];
  const all = subjects.flatMap(({ findings }) => findings);
  const count = (health: Finding['health']) => all.filter((each) => each.health === health).length;
  for (const subject of subjects) report(subject, command.json, out);
  if (command.json) out(JSON.stringify({ event: 'doctor', broken: count('broken'), look: count('look'), good: count('good') }));
  else out(`${count('broken')} broken, ${count('look')} worth a look, ${count('good')} good`);
  return count('broken') === 0;
}

function report({ about, findings }: Subject, json: boolean, out: (line: string) => void): void {
  if (!json) out(about);
  for (const finding of findings) out(json ? JSON.stringify({ event: 'finding', about, ...finding }) : findingLine(finding));
}

async function remembered(): Promise<{ servers: InspectedServer[]; trouble: Finding[] }> {
  try {
    const servers = await readServers(serversFile(process.env));
    const none = look('servers', 'no accounts are remembered', 'sotto join LINK, sotto servers add, or sotto doctor HOST:PORT');
    return { servers: servers.map(inspected), trouble: servers.length === 0 ? [none] : [] };
  } catch (error) {
    return { servers: [], trouble: [broken('servers', error instanceof Error ? error.message : 'the list of servers cannot be read')] };
  }
}

/** As the user's accounts there know it, when nothing else says it. */
async function withKnownPin(server: InspectedServer): Promise<InspectedServer> {
  const [known, another] = await rememberedPins(serversFile(process.env), server);
  return { ...server, pin: server.pin ?? (another === undefined ? known : undefined) };
}

function inspected({ host, port, name, pin, tls = false, store }: Awaited<ReturnType<typeof readServers>>[number]): InspectedServer {
  return { host, port, name, pin, tls, store };
}

async function subjectOf(server: InspectedServer, password: string | undefined): Promise<Subject> {
  const { host, port, name } = server;
  const address = `${hostForUrl(host)}:${port}`;
  const reached = await checkServer(server);
  if (name === undefined) return { about: address, findings: reached };
  const folder = server.store ?? defaultStoreFolder(process.env, server, name);
  // One after the other: the session opens the file that is looked at before.
  const stored = await checkStore(storeFileIn(folder));
  const session = await checkSession(server, folder, password);
  return { about: `${name}@${address}`, findings: [...reached, ...stored, ...session] };
}
