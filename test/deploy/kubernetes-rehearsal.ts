import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, type RunningServer, startNats, startPostgres, startRedis, temporaryFolder } from '@sotto/testing';
import { certifyBroker, makeBrokerKey } from '../../deploy/broker-certificate.mjs';
import { type NodeCommand, runApp } from '../harness/dist/index.js';
import { resolvedEnvironment, ROOT, settingsOf, workloadNamed } from './kubernetes-manifests.js';

export const BEHIND_THE_DOOR = ['auth', 'contacts', 'directory', 'relay'] as const;
const SERVICES = [...BEHIND_THE_DOOR, 'gateway'] as const;
const run = promisify(execFile);

export interface Invite {
  code: string;
  pin: string;
  link: string;
}

/**
 * The cluster's processes without a cluster: two of each service, with the environment that the manifests give them, on the secrets that init
 * makes for them, with this machine's addresses and ports in place of the cluster's.
 */
export class Rehearsal {
  private readonly running = new Map<string, RunningServer>();

  private constructor(private readonly secrets: string) {}

  static async start(): Promise<Rehearsal> {
    const rehearsal = new Rehearsal(await temporaryFolder('kubernetes-rehearsal'));
    try {
      await rehearsal.makeSecrets();
      await rehearsal.startGrounds();
      await Promise.all(SERVICES.flatMap((service) => [0, 1].map((replica) => rehearsal.startReplica(service, replica))));
      return rehearsal;
    } catch (error) {
      await rehearsal.stop();
      throw error;
    }
  }

  /** Where clients reach the gateway of this number. */
  gatewayUrl(replica: 0 | 1): string {
    return this.process(`gateway-${replica}`).url;
  }

  /** By a name: the client of NATS checks no certificate against an address. */
  get natsUrl(): string {
    return `nats://localhost:${this.process('nats').port}`;
  }

  read(file: string): string {
    return readFileSync(join(this.secrets, file), 'utf8').trim();
  }

  /** As `kubectl exec deploy/auth -- node deploy/invite.mjs NAME` does it: in auth's environment. */
  async invite(name: string): Promise<Invite> {
    const environment = { ...this.environmentOf('auth'), ADMIN_NATS_PASSWORD_FILE: join(this.secrets, 'admin/nats-password') };
    const { stdout } = await run(process.execPath, ['deploy/invite.mjs', name], { cwd: ROOT, env: { ...process.env, ...environment } });
    const said = (word: string): string => new RegExp(`^${word} +(\\S+)$`, 'm').exec(stdout)?.[1] ?? '';
    return { code: said('invite'), pin: said('pin'), link: said('link') };
  }

  /** A pod that is told to end, and has drained. */
  async end(service: (typeof SERVICES)[number], replica: 0 | 1): Promise<void> {
    await this.process(`${service}-${replica}`).kill('SIGTERM');
  }

  async stop(): Promise<void> {
    const grounds = ['nats', 'redis', 'postgres'];
    const services = [...this.running].filter(([name]) => !grounds.includes(name));
    await Promise.all(services.map(([, server]) => server.stop()));
    for (const name of grounds) await this.running.get(name)?.stop();
  }

  /** With what an operator may bring: a database of its own, and a certificate, here for this machine. */
  private async makeSecrets(): Promise<void> {
    const postgres = await startPostgres();
    this.running.set('postgres', postgres);
    this.bring('postgres/address', `127.0.0.1:${postgres.port}/postgres\n`);
    this.bring('nats/tls.key', makeBrokerKey());
    this.bring('nats/tls.crt', certifyBroker(join(this.secrets, 'nats/tls.key'), ['localhost']));
    await run(process.execPath, ['deploy/init.mjs', this.secrets, '--kubernetes'], { cwd: ROOT });
  }

  private async startGrounds(): Promise<void> {
    const natsConfig = this.read('nats/nats.conf').replace(/^http: .*$/m, '');
    this.running.set('nats', await startNats({ config: natsConfig.replaceAll('/secrets/', `${this.secrets}/`) }));
    const redis = await startRedis({ config: this.read('redis/redis.conf') });
    this.running.set('redis', redis);
    for (const name of SERVICES)
      this.bring(`${name}/redis-url`, this.read(`${name}/redis-url`).replace('redis:6379', `127.0.0.1:${redis.port}`));
    const environment = { ...process.env, MIGRATE_SECRETS: join(this.secrets, 'migrate') };
    await run(process.execPath, ['deploy/migrate.mjs'], { cwd: ROOT, env: environment });
  }

  private bring(file: string, text: string): void {
    const path = join(this.secrets, file);
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { force: true });
    writeFileSync(path, text, { mode: 0o600 });
  }

  private environmentOf(service: string): Record<string, string> {
    const values = Object.entries(resolvedEnvironment(workloadNamed(service), settingsOf('small')));
    const here = (value: string): string => value.replace(/^\/secrets\//, `${this.secrets}/`).replace('nats://nats:4222', this.natsUrl);
    return Object.fromEntries(values.map(([variable, value]) => [variable, here(value ?? '')]));
  }

  private async startReplica(service: (typeof SERVICES)[number], replica: number): Promise<void> {
    const [health, door] = await Promise.all([freePort(), freePort()]);
    const environment = { ...this.environmentOf(service), HEALTH_PORT: String(health) };
    const where: Pick<NodeCommand, 'port' | 'ready' | 'environment'> =
      service === 'gateway'
        ? {
            port: door,
            ready: { port: door, path: '/', status: 426 },
            environment: { ...environment, GATEWAY_HOST: '127.0.0.1', GATEWAY_PORT: String(door) },
          }
        : { port: health, ready: { port: health, path: '/readyz', status: 200 }, environment };
    this.running.set(`${service}-${replica}`, await runApp({ name: service, nodeArguments: [], ...where }));
  }

  private process(name: string): RunningServer {
    const found = this.running.get(name);
    if (found === undefined) throw new Error(`no ${name} here`);
    return found;
  }
}
