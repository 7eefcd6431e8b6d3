import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../simulation/dist/random.js';
import type { Device } from './device.js';
import { membersSeenBy, type Town } from './town.js';

/** What people do and what happens to the server, each at its own pace, until told to stop. */
export class Life {
  readonly refusals = new Map<string, number>();
  readonly faults: string[] = [];
  readonly #hurting = new Set<string>();
  #over = false;
  #texts = 0;

  constructor(
    private readonly town: Town,
    private readonly random: Random,
    /** Processes that come to grief. */
    private readonly mortal: readonly string[],
    private readonly tell: (what: string) => void,
  ) {}

  async goOn(ms: number): Promise<void> {
    const loops = [
      this.#every(20, 250, () => this.#talk()),
      this.#every(20, 250, () => this.#talk()),
      this.#every(800, 4_000, () => this.#move()),
      this.#every(3_000, 9_000, () => this.#rename()),
      this.#every(3_000, 9_000, () => this.#churn()),
      this.#every(2_000, 7_000, () => this.#hurt()),
      this.#every(4_000, 15_000, () => this.#hurt()),
    ];
    await sleep(ms);
    this.#over = true;
    await Promise.all(loops);
  }

  async #every(least: number, most: number, act: () => Promise<void>): Promise<void> {
    for (;;) {
      await sleep(this.random.whole(least, most));
      if (this.#over) return;
      await act();
    }
  }

  get #someone(): Device | undefined {
    const here = this.town.devices.filter(({ client, isMailbox }) => client !== undefined && !isMailbox);
    return here.length === 0 ? undefined : this.random.pick(here);
  }

  async #talk(): Promise<void> {
    const by = this.#someone;
    if (by === undefined) return;
    const { people, devices, steady, written } = this.town;
    const others = people.filter(({ name }) => name !== by.owner);
    const text = `${by.name} ${++this.#texts}`;
    const other = this.random.chance(0.5) ? undefined : this.random.pick(others);
    const to = devices.filter((each) => each !== by && (other === undefined || [other.name, by.owner].includes(each.owner)));
    const taken = await this.#tries(by, (client) =>
      other === undefined ? client.groups.send(steady, text) : client.send(other.name, text),
    );
    if (taken) written.push({ text, by, to });
  }

  async #move(): Promise<void> {
    const one = this.random.pick(this.town.devices.filter(({ isMailbox }) => !isMailbox));
    if (one.client !== undefined) await one.leave();
    else void one.come();
  }

  async #rename(): Promise<void> {
    const by = this.#someone;
    if (by !== undefined) await this.#tries(by, ({ groups }) => groups.rename(this.town.steady, `steady ${this.#texts}`));
  }

  /** The founder is the admin. */
  async #churn(): Promise<void> {
    const { people, busy } = this.town;
    const [founder, ...others] = people;
    const one = this.random.pick(others);
    const isIn = membersSeenBy(founder!.phone, busy).includes(one.name);
    await this.#tries(founder!.phone, ({ groups }) => (isIn ? groups.remove(busy, [one.name]) : groups.add(busy, [one.name])));
  }

  async #hurt(): Promise<void> {
    const { server } = this.town;
    const victim = this.random.pick(this.mortal);
    const how = this.random.pick(['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGSTOP'] as const);
    if (this.#hurting.has(victim)) return;
    this.#hurting.add(victim);
    this.faults.push(`${how} ${victim}`);
    this.tell(`${how} ${victim}`);
    if (how === 'SIGSTOP') await this.#stall(server.pids().find(({ name }) => name === victim)!.pid);
    else {
      await server.kill(victim, how);
      await sleep(this.random.whole(0, 4_000));
      await server.restart(victim);
    }
    this.#hurting.delete(victim);
  }

  async #stall(pid: number): Promise<void> {
    process.kill(pid, 'SIGSTOP');
    await sleep(this.random.whole(500, 9_000));
    process.kill(pid, 'SIGCONT');
  }

  /** False: it was not taken, as its device is away, or for the reason that is counted. */
  async #tries({ client }: Device, act: (client: NonNullable<Device['client']>) => Promise<unknown>): Promise<boolean> {
    if (client === undefined) return false;
    try {
      await act(client);
      return true;
    } catch (error) {
      const reason = (error as { reason?: string }).reason ?? String(error);
      this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
      return false;
    }
  }
}
