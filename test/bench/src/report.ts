import type { GroupFigures } from './group-figures.js';
import type { IdleFigures } from './idle-run.js';
import type { FanOutFigures, Figures, PacedFigures } from './runs.js';
import type { StormFigures } from './storm-run.js';

const COLUMNS = '  ';

const waits = ({ p50_ms, p99_ms }: PacedFigures) => `p50 ${p50_ms} ms, p99 ${p99_ms} ms`;

/** Figures as lines for people. */
export function loadLine(figures: Figures): string {
  const { name, rate, p50_ms, p99_ms, msgs_per_server_cpu_s, rss_mb, frames_per_box, paced, paced_singly } = figures;
  return [
    name.padEnd(10),
    `${rate}/s`.padStart(9),
    `p50 ${p50_ms} ms`,
    `p99 ${p99_ms} ms`,
    `${msgs_per_server_cpu_s} round trips per server CPU second`,
    `${rss_mb} MiB`,
    `${frames_per_box} frames a box`,
    ...(paced === undefined ? [] : [`at ${paced.rate}/s: ${waits(paced)}`]),
    ...(paced_singly === undefined ? [] : [`one by one: ${waits(paced_singly)}`]),
    ...failed(figures.failures + (paced?.failures ?? 0) + (paced_singly?.failures ?? 0)),
  ].join(COLUMNS);
}

export function fanOutLine(figures: FanOutFigures): string {
  const { name, fanout, senders, sends_per_s, p50_ms, p99_ms, server_cpu_us_per_recipient } = figures;
  const { server_cpu_us_per_round_trip, ratio, server_cpu_us_per_lone_round_trip, lone_ratio } = figures;
  return [
    name.padEnd(10),
    `${sends_per_s} messages a second from ${senders} to ${fanout} members`,
    `p50 ${p50_ms} ms`,
    `p99 ${p99_ms} ms`,
    `${server_cpu_us_per_recipient} µs of server CPU a member`,
    `${ratio} of a round trip of pairs with a full window (${server_cpu_us_per_round_trip} µs)`,
    `${lone_ratio} of one of pairs with nothing to batch (${server_cpu_us_per_lone_round_trip} µs)`,
    ...failed(figures.failures),
  ].join(COLUMNS);
}

export function idleLine({ name, connections, bytes_per_connection, by_process }: IdleFigures): string {
  const kib = (bytes: number) => (bytes / 1_024).toFixed(1);
  const parts = Object.entries(by_process).map(([process, bytes]) => `${process} ${kib(bytes)}`);
  return [name.padEnd(10), `${connections} connections held`, `${kib(bytes_per_connection)} KiB a connection`, ...parts].join(COLUMNS);
}

export function stormLine(figures: StormFigures): string {
  const { name, log_ins, rate, calm_p99_ms, storm_p50_ms, storm_p99_ms, storm_s } = figures;
  return [
    name.padEnd(10),
    `${log_ins} log-ins at once done in ${storm_s} s`,
    `${rate} messages a second meanwhile: p50 ${storm_p50_ms} ms, p99 ${storm_p99_ms} ms`,
    `p99 before ${calm_p99_ms} ms`,
    ...failed(figures.failures),
  ].join(COLUMNS);
}

export function groupLines(figures: GroupFigures): string {
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  return [
    `a group of ${figures.members} devices, CPU of one of them`,
    `join ${ms(figures.join_ms)}, by a Welcome of ${figures.welcome_bytes} B`,
    `add one ${ms(figures.add_ms)}`,
    `send ${ms(figures.send_ms)}, the engine alone ${ms(figures.bare_send_ms)}, with all receipts ${ms(figures.send_and_receipts_ms)}`,
    `catch up with 100 commits and 1,000 messages ${ms(figures.catch_up_ms)}`,
  ].join('\n  ');
}

function failed(failures: number): string[] {
  return failures > 0 ? [`${failures} FAILED`] : [];
}
