import { writeFile } from 'node:fs/promises';
import type { Approval, SottoClient } from '@sotto/client';
import { UsageError } from '../command-line/usage-error.js';
import type { Destruction } from '../panic/destroyed-text.js';
import { isConfirmed } from '../panic/destruction.js';
import { SECRET_RULE } from '../password/new-secret.js';
import type { Asker } from './asker.js';
import type { AccountCommand, PanicOrder } from './account-command.js';
import type { ChatEvent, DeviceView } from './chat-event.js';
import { shortDevice } from './account-rendering.js';
import type { Secrets } from './json-fields.js';
import { shownSettings } from './shown-settings.js';
import { clock, oneLine } from './shown-text.js';

/** What the commands need beside the SDK. */
export interface AccountTools {
  readonly ask: Asker;
  /** What this device calls itself while it waits to be let in; undefined: it does not ask by itself. */
  readonly deviceName: string | undefined;
  readonly linkOf: (code: string, name: string | undefined) => string;
  /** The store opens with the account's password: one thing to remember. Undefined: a key file opens it. */
  readonly changePassphrase: ((password: string) => Promise<void>) | undefined;
  /** Keys and messages of this device; `everywhere`: its session at the server first. */
  readonly destroy: (everywhere: boolean) => Promise<Destruction>;
}

const RESET =
  'A new account key: every contact is warned and has to confirm it, your other devices wait again, and recovery files written before are worth nothing. Go on?';
const REVOKE = 'That is the device in your hands: its session ends. Go on?';
const DELETE = 'The account goes for good; its name is never given to anybody again. Go on?';

/** The account and its devices: who is let in, which keys and passwords count. */
export class AccountCommands {
  readonly #stopListening: (() => void)[];
  /** Until it has ended, nobody knows whether the device has to wait. */
  #loggingIn = false;

  constructor(
    private readonly client: SottoClient,
    private readonly tools: AccountTools,
    private readonly show: (event: ChatEvent) => void,
  ) {
    this.#stopListening = [
      client.on('approval', (approval) => this.#showApproval(approval)),
      client.on('state', ({ state }) => {
        if (state === 'online' && tools.deviceName !== undefined)
          void this.#askWhilePending().catch((error: unknown) => this.#failed(error));
      }),
    ];
  }

  stop(): void {
    for (const stop of this.#stopListening) stop();
  }

  /** False: there is nothing more to do here. Throws what the SDK throws, and UsageError. */
  async run(command: AccountCommand): Promise<boolean> {
    switch (command.do) {
      case 'approve':
        await this.#approve(command.device, command.code);
        break;
      case 'deny':
        await this.client.approvals.refuse((await this.#waiting(command.device)).device);
        break;
      case 'devices':
        this.show({ event: 'devices', devices: await this.#devices() });
        break;
      case 'revoke':
        await this.#revoke(command.device, command.confirm);
        break;
      case 'invite':
        await this.#invite(command.name);
        break;
      case 'invisible':
        await this.client.changeSettings({ invisible: command.on });
        this.show(shownSettings(this.client));
        break;
      case 'panic':
        return !(await this.#panic(command));
      case 'delete-account':
        return !(await this.#deleteAccount(command.secrets));
      default:
        await this.#changeKeys(command);
    }
    return true;
  }

  async #changeKeys(command: Extract<AccountCommand, { secrets: Secrets }>): Promise<void> {
    switch (command.do) {
      case 'recovery':
        return this.#writeRecovery(command.file, command.secrets);
      case 'reset-key':
        return this.#resetKey(command.secrets);
      case 'password':
        return this.#changePassword(command.secrets);
      case 'login':
        return this.#logIn(command.secrets);
      default:
    }
  }

  // --- devices

  async #askWhilePending(): Promise<void> {
    if (!this.#loggingIn && this.client.account?.pending === true && this.client.approvals.all().length === 0)
      await this.client.approvals.ask(this.tools.deviceName ?? '');
  }

  async #approve(device: string | undefined, code: string | undefined): Promise<void> {
    const { approvals, account } = this.client;
    if (account?.pending === true && approvals.all().length === 0) return approvals.ask(this.tools.deviceName ?? '');
    const approval = await this.#waiting(device, code);
    if (code !== undefined) await approvals.approve(approval.device, code);
    else if (approval.code !== undefined || account?.pending === true) this.#showApproval(approval);
    else await approvals.answer(approval.device);
  }

  /** The one that is named or shows this code, else the only one: nobody is let in or refused by chance. Throws UsageError. */
  async #waiting(prefix: string | undefined, code?: string): Promise<Approval> {
    const all = this.client.approvals.all();
    if (prefix !== undefined) {
      const device = await this.#deviceOf(
        prefix,
        `${prefix} is no code (eight digits, as both devices show them), and no device begins so`,
      );
      const named = all.find((each) => each.device === device);
      if (named !== undefined) return named;
    }
    if (prefix !== undefined || all.length === 0) throw new UsageError('no device waits to be let in');
    const showing = code === undefined ? all : all.filter((each) => each.code !== undefined);
    if (showing.length === 0) throw new UsageError('no code is shown yet: /approve without one comes first');
    const meant = code === undefined ? undefined : showing.find((each) => each.code === code.replace(/\D/g, ''));
    const found = showing.length === 1 ? showing[0] : meant;
    if (found !== undefined) return found;
    throw new UsageError(`several devices wait to be let in, say which: ${showing.map(waitingDevice).join(', ')}`);
  }

  async #devices(): Promise<DeviceView[]> {
    const names = new Map(this.client.approvals.all().map(({ device, name }) => [device, name]));
    const listed = (await this.client.devices()).map((each): DeviceView => {
      const name = names.get(each.device);
      return name === undefined ? each : { ...each, name };
    });
    const unlisted = [...names].filter(([device]) => !listed.some((each) => each.device === device));
    return [...listed, ...unlisted.map(([device, name]) => ({ device, name, own: false, online: false, pending: true, revoked: false }))];
  }

  async #deviceOf(prefix: string, none = `there is no device ${prefix}`): Promise<string> {
    const fitting = (await this.#devices()).map(({ device }) => device).filter((device) => device.startsWith(prefix.toLowerCase()));
    if (fitting.length === 1) return fitting[0]!;
    throw new UsageError(fitting.length === 0 ? `${none}: /devices lists them` : `several devices begin with ${prefix}: write more of it`);
  }

  async #revoke(prefix: string, confirm: boolean | undefined): Promise<void> {
    const device = await this.#deviceOf(prefix);
    if (device === this.client.account?.device && !(confirm ?? (await this.tools.ask.yes(REVOKE)))) return this.#nothing();
    await this.client.revokeDevice(device);
    this.show({ event: 'revoked', device });
  }

  // --- keys and passwords

  async #writeRecovery(file: string, { passphrase }: Secrets): Promise<void> {
    const secret = passphrase ?? (await this.tools.ask.hidden(`Passphrase for the recovery file (${SECRET_RULE}): `, true));
    const bytes = await this.client.recoveryFile(secret);
    try {
      await writeFile(file, bytes, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      const { code = 'unknown' } = error as NodeJS.ErrnoException;
      throw new UsageError(code === 'EEXIST' ? `${file} is there already: choose another name` : `${file} cannot be written (${code})`);
    }
    this.show({ event: 'recovery-written', file });
  }

  async #resetKey({ password, confirm }: Secrets): Promise<void> {
    if (!(confirm ?? (await this.tools.ask.yes(RESET)))) return this.#nothing();
    await this.client.resetIdentity(password ?? (await this.tools.ask.hidden('Password: ')));
    this.#notice('The account has a new key. A new recovery file: /recovery FILE');
  }

  async #changePassword({ password, newPassword }: Secrets): Promise<void> {
    const before = password ?? (await this.tools.ask.hidden('Present password: '));
    const next = newPassword ?? (await this.tools.ask.hidden(`New password (${SECRET_RULE}): `, true));
    await this.client.changePassword(before, next);
    await this.tools.changePassphrase?.(next);
    const opens = this.tools.changePassphrase === undefined ? '' : ', and opens what is stored here';
    this.#notice(`The password is changed${opens}. Your other devices have to log in again.`);
  }

  async #logIn({ password }: Secrets): Promise<void> {
    const { account } = this.client;
    if (account === undefined) throw new UsageError('there is no account here yet');
    const secret = password ?? (await this.tools.ask.hidden('Password: '));
    this.#loggingIn = true;
    await this.client.logIn(account.name, secret).finally(() => (this.#loggingIn = false));
    await this.tools.changePassphrase?.(secret);
    await this.#askWhilePending();
    this.#notice(`Logged in again.${this.tools.changePassphrase === undefined ? '' : ' The password opens what is stored here, too.'}`);
  }

  async #deleteAccount({ password, confirm }: Secrets): Promise<boolean> {
    if (!(confirm ?? (await this.tools.ask.yes(DELETE)))) {
      this.#nothing();
      return false;
    }
    await this.client.deleteAccount(password ?? (await this.tools.ask.hidden('Password: ')));
    this.#notice('The account is deleted. What this device has stored stays until you delete it.');
    return true;
  }

  async #panic({ everywhere, name }: PanicOrder): Promise<boolean> {
    const own = this.client.account?.name ?? '';
    if (!(await isConfirmed(own, name, this.tools.ask))) {
      this.#nothing();
      return false;
    }
    this.show({ event: 'destroyed', ...(await this.tools.destroy(everywhere)) });
    return true;
  }

  async #invite(name: string | undefined): Promise<void> {
    const { code, expires } = await this.client.invite(name);
    this.show({ event: 'invite', link: this.tools.linkOf(code, name), code, expires: Math.floor(expires.getTime() / 1_000) });
  }

  // --- what is shown

  #showApproval({ device, name, stage, code, askedAt }: Approval): void {
    const own = device === this.client.account?.device;
    this.show({ event: 'approval', device, name, stage, own, askedAt, ...(code === undefined ? {} : { code }) });
  }

  #nothing(): void {
    this.#notice('Nothing was changed.');
  }

  #notice(text: string): void {
    this.show({ event: 'notice', text });
  }

  #failed(error: unknown): void {
    this.show({ event: 'error', text: error instanceof Error ? error.message : 'failed' });
  }
}

function waitingDevice({ device, name, askedAt }: Approval): string {
  return `${shortDevice(device)} ("${oneLine(name)}", asked at ${clock(askedAt, Date.now())})`;
}
