import type { Topology } from '../../harness/dist/index.js';
import { Device } from './device.js';
import { surely } from './waiting.js';

const PASSPHRASE = 'a passphrase for the drawer';

/** What somebody has beside a phone: a tablet that the phone approves, or one let in by a recovery file, as a mailbox is. */
export type Second = 'approved tablet' | 'recovered tablet' | 'mailbox';

/** Somebody with one device or two. */
export class Person {
  readonly devices: Device[];

  private constructor(
    readonly name: string,
    readonly phone: Device,
    private readonly server: Topology,
  ) {
    this.devices = [phone];
  }

  static async registers(name: string, server: Topology): Promise<Person> {
    return new Person(name, await Device.registers(name, server), server);
  }

  async gets(second: Second): Promise<void> {
    const device = await Device.logsIn(this.name, second === 'mailbox' ? 'mailbox' : 'tablet', this.server);
    if (second === 'approved tablet') await approve(device, this.phone);
    else await device.client!.confirmByRecoveryFile(await this.phone.client!.recoveryFile(PASSPHRASE), PASSPHRASE);
    this.devices.push(device);
  }
}

/** The user compares the code that both show. */
async function approve(device: Device, by: Device): Promise<void> {
  const heard = (one: Device, stage: string) =>
    surely(`${one.name} hears ${stage}`, () => one.approvals.some((each) => each.stage === stage));
  const { device: id } = device.client!.account!;
  await device.client!.approvals.ask('the tablet');
  await heard(by, 'asked');
  await by.client!.approvals.answer(id);
  await Promise.all([heard(by, 'compare'), heard(device, 'compare')]);
  const { code } = by.approvals.find(({ stage }) => stage === 'compare')!;
  await by.client!.approvals.approve(id, code!);
  await device.client!.approvals.approve(id, code!);
  await heard(device, 'approved');
}
