import { LuaScript } from '@sotto/platform/live-state';
import { LIMITS, TIMES } from '@sotto/protocol';
import type { Redis } from 'ioredis';
import { APPEND, ASK, REFUSE } from './approval.lua.js';
import type { Approval, ApprovalMessage, ApprovalStore } from './approval.store.js';

const ask = new LuaScript<number>(ASK);
const append = new LuaScript<number>(APPEND);
const refuse = new LuaScript<number>(REFUSE);

/** As the scripts keep it. */
type Row = Omit<Approval, 'device' | 'messages'> & { messages: string[] };

/** ApprovalStore of all replicas: every change is one Lua step. */
export class RedisApprovalStore implements ApprovalStore {
  constructor(private readonly redis: Redis) {}

  async ask(account: string, asked: { device: string; name: string; message: Uint8Array }, now: number): Promise<boolean> {
    const { device, name, message } = asked;
    const expires = now + TIMES.approvalSeconds;
    const row: Row = { name, asked: now, expires, approver: '', refused: false, messages: [base64(message)] };
    const args = [now, device, JSON.stringify(row), LIMITS.approvalsPerAccount, TIMES.approvalSeconds];
    return (await ask.run(this.redis, [keyOf(account)], args)) === 1;
  }

  async append(account: string, { device, from, position, message }: ApprovalMessage, now: number): Promise<boolean> {
    const args = [now, device, from, position, base64(message), LIMITS.approvalMessages];
    return (await append.run(this.redis, [keyOf(account)], args)) === 1;
  }

  async refuse(account: string, device: string, now: number): Promise<boolean> {
    return (await refuse.run(this.redis, [keyOf(account)], [now, device])) === 1;
  }

  async list(account: string, now: number): Promise<Approval[]> {
    const rows = Object.entries(await this.redis.hgetall(keyOf(account)));
    return rows.map(([device, row]) => approvalOf(device, JSON.parse(row) as Row)).filter(({ expires }) => expires > now);
  }

  async forget(account: string, device: string): Promise<void> {
    await this.redis.hdel(keyOf(account), device);
  }

  async forgetAll(account: string): Promise<void> {
    await this.redis.del(keyOf(account));
  }
}

function keyOf(account: string): string {
  return `approvals:${account}`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function approvalOf(device: string, { messages, ...row }: Row): Approval {
  return { ...row, device, messages: messages.map((text) => new Uint8Array(Buffer.from(text, 'base64'))) };
}
