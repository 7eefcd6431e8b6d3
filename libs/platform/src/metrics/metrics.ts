import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** Nest injection token of the process's prom-client Registry. Labels are closed sets: no ids, names or addresses. */
export const METRICS = Symbol('METRICS');

/** A registry with the process's own figures. */
export function createMetrics(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** Durations of answered calls, for BusRpcServer's `observe`. */
export function observeCalls(registry: Registry): (method: string, code: string, seconds: number) => void {
  const durations = new Histogram({
    name: 'sotto_call_seconds',
    help: 'Time to answer a call, by method and result.',
    labelNames: ['method', 'code'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [registry],
  });
  return (method, code, seconds) => durations.observe({ method, code }, seconds);
}
