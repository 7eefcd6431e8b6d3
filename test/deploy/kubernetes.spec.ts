import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { authConfigSchema } from '@sotto/auth';
import { contactsConfigSchema } from '@sotto/contacts';
import { directoryConfigSchema } from '@sotto/directory';
import { gatewayConfigSchema } from '@sotto/gateway';
import { loadConfig } from '@sotto/platform/config';
import { HealthServer } from '@sotto/platform/health';
import { createMetrics } from '@sotto/platform/metrics';
import { platformConfigSchema } from '@sotto/platform/service';
import { relayConfigSchema } from '@sotto/relay';
import { temporaryFolder } from '@sotto/testing';
import type { z } from 'zod';
import { NATS_USERS } from '../../deploy/nats-users.mjs';
import { REDIS_USERS } from '../../deploy/redis-users.mjs';
import {
  containersOf,
  edges,
  environmentOf,
  isPolicy,
  isService,
  isWorkload,
  K8S,
  kustomizationOf,
  kustomizations,
  manifestsIn,
  OVERLAYS,
  podOf,
  readYaml,
  resolvedEnvironment,
  ROOT,
  settingsOf,
  workloadNamed,
} from './kubernetes-manifests.js';
import { shapeProblems } from './kubernetes-shapes.js';

const SCHEMAS: Record<string, z.ZodObject> = {
  gateway: gatewayConfigSchema,
  auth: authConfigSchema,
  contacts: contactsConfigSchema,
  directory: directoryConfigSchema,
  relay: relayConfigSchema,
};
const SERVICES = Object.keys(SCHEMAS);
/** Read by deploy/invite.mjs, which runs in auth's pod, and by nothing else there. */
const OF_INVITES = ['SOTTO_PORT'];
/** What each need of a service is called in the cluster. */
const REACHED = { bus: 'nats:4222', 'live-state': 'redis:6379', database: 'postgres:5432' } as const;

const base = manifestsIn('base');
const workloads = base.filter(isWorkload);
const named = workloads.map((workload) => [workload.metadata.name, workload] as const);
const services = named.filter(([name]) => SERVICES.includes(name));
const policies = base.filter(isPolicy);

interface ComposeService {
  image?: string;
  environment?: Record<string, string | number>;
  volumes?: (string | { source?: string; target?: string })[];
}
const compose = readYaml(join(ROOT, 'docker-compose.yml')) as { services: Record<string, ComposeService> };

let secrets: string;
beforeAll(async () => {
  secrets = await temporaryFolder('kubernetes-secrets');
  execFileSync(process.execPath, ['deploy/init.mjs', secrets, '--kubernetes'], { cwd: ROOT });
});

describe('the files of k8s/', () => {
  it.each(kustomizations())('%s names what is there, and all of it', (folder) => {
    const { resources = [], components = [] } = kustomizationOf(folder);
    for (const path of [...resources, ...components]) {
      const file = join(K8S, folder, path);
      expect([path, existsSync(path.endsWith('.yaml') ? file : join(file, 'kustomization.yaml'))]).toEqual([path, true]);
    }
    const own = readdirSync(join(K8S, folder)).filter((file) => file.endsWith('.yaml') && file !== 'kustomization.yaml');
    expect(resources.filter((path) => path.endsWith('.yaml')).sort()).toEqual(own.sort());
  });

  it('describe objects as Kubernetes knows them', () => {
    const misspelt = { ...base[0]!, metadata: { name: 'misspelt', label: {} } };
    expect(shapeProblems([misspelt, ...kustomizations().flatMap(manifestsIn)])).toEqual([
      expect.stringMatching(/^Namespace_misspelt.*"label"/),
    ]);
  }, 60_000);

  it('have all parts of the design', () => {
    expect(named.map(([name]) => name).sort()).toEqual([...SERVICES, 'migrate', 'nats', 'postgres', 'redis'].sort());
  });

  it('hold no secret, and keep those that are made from the repository and from images', () => {
    for (const file of readdirSync(K8S, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.yaml')) continue;
      expect([file, /[0-9a-f]{32}|:\/\/[^/\s]*:[^/\s]*@|BEGIN [A-Z ]*KEY/.test(readFileSync(join(K8S, file), 'utf8'))]).toEqual([
        file,
        false,
      ]);
    }
    const ignored = execFileSync('git', ['check-ignore', 'k8s/secrets/auth/server-identity', 'k8s/secrets/nats/tls.key'], { cwd: ROOT });
    expect(String(ignored).trim().split('\n')).toHaveLength(2);
    expect(readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n')).toContain('k8s');
  });
});

describe.each(named)('the pod of %s', (name, workload) => {
  it('has no rights, writes nothing, and is never swapped', () => {
    expect(podOf(workload).securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(podOf(workload).securityContext?.runAsUser).toBeGreaterThan(0);
    expect(podOf(workload)).not.toMatchObject({ hostNetwork: true });
    for (const { securityContext, resources } of containersOf(workload)) {
      expect(securityContext).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
      expect(resources?.limits?.memory).toBeDefined();
      expect(resources?.requests?.memory).toBe(resources?.limits?.memory);
    }
  });

  it('has a disk for the database alone: whatever else is written is in memory, and bounded', () => {
    for (const volume of podOf(workload).volumes ?? []) {
      if (volume.secret !== undefined) continue;
      expect(volume).toEqual({ name: volume.name, emptyDir: { medium: 'Memory', sizeLimit: expect.any(String) } });
    }
    const claims = workload.kind === 'StatefulSet' ? (workload.spec as { volumeClaimTemplates?: unknown[] }).volumeClaimTemplates : [];
    expect(claims).toHaveLength(name === 'postgres' ? 1 : 0);
  });

  it('leaves no core', () => {
    const shells = containersOf(workload).map(({ command }) => command?.[2] ?? readFileSync(join(ROOT, 'Dockerfile'), 'utf8'));
    for (const shell of shells) expect(shell).toMatch(/ulimit -c 0; exec /);
  });

  it("has no account of the cluster, and no variables from others' names", () => {
    expect(podOf(workload)).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
  });

  it('has secrets in files alone', () => {
    for (const { name: variable, value, valueFrom } of environmentOf(workload)) {
      expect(valueFrom?.secretKeyRef).toBeUndefined();
      if (/PASSWORD|SECRET|KEY|TOKEN|IDENTITY|DATABASE_URL|REDIS_URL/.test(variable))
        expect([variable, value]).toEqual([expect.stringMatching(/_FILE$/), expect.stringMatching(/^\/secrets\//)]);
    }
  });

  it('sees its own part of the secrets, as in Compose, and cannot change it', () => {
    const [container] = containersOf(workload);
    const volumes = new Map(podOf(workload).volumes?.map((volume) => [volume.name, volume]));
    const seen = (container?.volumeMounts ?? []).flatMap(({ name: volume, mountPath, readOnly }) => {
      const secret = volumes.get(volume)?.secret;
      return secret === undefined ? [] : [{ secret: secret.secretName, mountPath, readOnly }];
    });
    const parts = (compose.services[name]?.volumes ?? []).flatMap((volume) =>
      typeof volume !== 'string' && volume.source === 'secrets' ? [volume.target!] : [],
    );
    expect(seen).toEqual(parts.map((mountPath) => ({ secret: mountPath.split('/')[2], mountPath, readOnly: true })));
    expect(podOf(workload).containers).toHaveLength(1);
  });

  it('finds every file that it is told of among the secrets', () => {
    const text = JSON.stringify(containersOf(workload));
    const generators = kustomizationOf('secrets').secretGenerator ?? [];
    for (const [, secret, file] of text.matchAll(/\/secrets\/([\w-]+)\/([\w.-]+)/g)) {
      const { files = [] } = generators.find((generator) => generator.name === secret) ?? {};
      expect([secret, files]).toEqual([secret, expect.arrayContaining([`${secret}/${file}`])]);
    }
  });

  it('has an image that the Dockerfile builds, or that of Compose, and runs what is in it', () => {
    for (const { image = '', command } of containersOf(workload)) {
      const service = /^sotto-(\w+)$/.exec(image)?.[1];
      if (service === undefined) expect(image).toBe(compose.services[name]?.image);
      else expect([image, existsSync(join(ROOT, 'apps', service, 'package.json'))]).toEqual([image, true]);
      const script = /exec node (\S+)/.exec(command?.[2] ?? '')?.[1];
      if (script !== undefined) expect([script, existsSync(join(ROOT, script))]).toEqual([script, true]);
    }
  });

  it('is asked how it is, and given time to end', () => {
    const { terminationGracePeriodSeconds: grace = 0 } = podOf(workload);
    expect(grace).toBeGreaterThanOrEqual(30);
    for (const { readinessProbe, livenessProbe, startupProbe, lifecycle } of containersOf(workload)) {
      if (workload.kind === 'Job') continue;
      expect([readinessProbe, livenessProbe, startupProbe]).not.toContain(undefined);
      // What follows it: a gateway's goodbye, a relay's 3 s, the bus's 5 s.
      const pause = Number(lifecycle?.preStop?.exec?.command?.[1] ?? 0);
      expect(grace - pause).toBeGreaterThanOrEqual(30);
    }
  });
});

describe.each(services)('the service %s', (name, workload) => {
  const schema = platformConfigSchema.extend(SCHEMAS[name]!.shape);

  it.each(OVERLAYS)('starts on the settings of the overlay %s', (overlay) => {
    const environment = Object.entries(resolvedEnvironment(workload, settingsOf(overlay)));
    for (const [variable, value] of environment) expect([variable, value]).toEqual([variable, expect.any(String)]);
    const config = loadConfig(
      schema,
      Object.fromEntries(environment.map(([variable, value]) => [variable, value?.replace(/^\/secrets\//, `${secrets}/`)])),
    );
    expect(config).toMatchObject({ NATS_USER: name, NATS_CA: expect.stringMatching(/^-----BEGIN CERTIFICATE/) });
    const needs = needsOf(name).map((need) => ({ bus: 'NATS_URL', 'live-state': 'REDIS_URL', database: 'DATABASE_URL' })[need]!);
    for (const variable of needs) expect([variable, config[variable as keyof typeof config]]).not.toEqual([variable, undefined]);
  });

  it('is given no variable that it does not read', () => {
    const known = [...Object.keys(schema.shape), ...(name === 'auth' ? OF_INVITES : [])];
    for (const { name: variable } of environmentOf(workload))
      expect(known).toContain(known.includes(variable) ? variable : variable.replace(/_FILE$/, ''));
  });

  it('is given what Compose gives it', () => {
    const here = resolvedEnvironment(workload, { ...settingsOf('small'), SERVER_NAME: 'localhost' });
    const there = Object.entries(compose.services[name]?.environment ?? {}).map(([variable, value]) => [
      variable,
      String(value).replace(/^\$\{\w+:-(.*)\}$/, '$1'),
    ]);
    expect(here).toMatchObject(Object.fromEntries(there));
    const added = Object.keys(here).filter((variable) => !there.some(([other]) => other === variable));
    expect(added.sort()).toEqual(['HEALTH_PORT', 'NATS_CA_FILE']);
  });

  it('opens the ports that it listens on', () => {
    const here = resolvedEnvironment(workload, settingsOf('small'));
    const ports = containersOf(workload).flatMap(({ ports = [] }) => ports.map((port) => [port.name, String(port.containerPort)]));
    expect(Object.fromEntries(ports)).toEqual({
      ...(here.GATEWAY_PORT === undefined ? {} : { client: here.GATEWAY_PORT }),
      health: here.HEALTH_PORT,
    });
  });
});

describe('the probes of services', () => {
  const health = new HealthServer(createMetrics('probed'), []);
  let port: number;
  beforeAll(async () => {
    port = await health.listen(0, '127.0.0.1');
    health.setReady(true);
  });
  afterAll(() => health.close());

  it.each(services)('%s is asked at paths that it answers', async (_name, workload) => {
    for (const { readinessProbe, livenessProbe, startupProbe } of containersOf(workload)) {
      expect(readinessProbe?.httpGet?.path).toBe('/readyz');
      for (const { httpGet } of [readinessProbe!, livenessProbe!, startupProbe!].filter((probe) => probe.httpGet !== undefined)) {
        expect(httpGet?.port).toBe('health');
        expect((await fetch(`http://127.0.0.1:${port}${httpGet?.path}`)).status).toBe(200);
      }
    }
  });
});

function needsOf(service: string): (keyof typeof REACHED)[] {
  const code = readFileSync(join(ROOT, `apps/${service}/src/as-service.ts`), 'utf8');
  return [...(/needs: \[(.*)\]/.exec(code)?.[1] ?? '').matchAll(/'([\w-]+)'/g)].map(([, need]) => need as keyof typeof REACHED);
}

describe('the network of the cluster', () => {
  const fromCode = [
    ...SERVICES.flatMap((service) => needsOf(service).map((need) => `${service} → ${REACHED[need]}`)),
    `migrate → ${REACHED.database}`,
  ].sort();

  it('is closed to everybody at first', () => {
    const everything = policies.find(({ metadata }) => metadata.name === 'nothing');
    expect(everything?.spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    for (const { spec } of policies) expect(spec?.policyTypes?.length).toBeGreaterThan(0);
  });

  it('opens the ways that the code takes, at both ends, and no other', () => {
    const names = [...SERVICES, 'migrate'].flatMap((name) => [`${name} → kube-system:53`, `${name} → kube-system:53`]);
    expect(edges(policies, 'egress').sort()).toEqual([...fromCode, ...names].sort());
    expect(edges(policies, 'ingress').sort()).toEqual([...fromCode, ' → gateway:7788'].sort());
  });

  it('has a name and a port for whatever is reached, as secrets and variables say it', () => {
    const reached = new Map(base.filter(isService).map(({ metadata, spec }) => [metadata.name, spec!]));
    for (const address of Object.values(REACHED)) {
      const [name = '', port] = address.split(':');
      expect(reached.get(name)?.ports?.map(({ port: number }) => number)).toEqual([Number(port)]);
    }
    for (const [name, { ports = [], selector }] of reached) {
      expect(selector).toEqual({ 'app.kubernetes.io/name': name });
      const container = containersOf(workloadNamed(name)).flatMap((one) => one.ports ?? []);
      for (const { targetPort, port } of ports)
        expect(container).toContainEqual(expect.objectContaining({ name: targetPort, containerPort: port }));
    }
    for (const service of SERVICES) {
      expect(readFileSync(join(secrets, service, 'redis-url'), 'utf8')).toMatch(new RegExp(`@${REACHED['live-state']}\\n$`));
      expect(resolvedEnvironment(workloadNamed(service), {}).NATS_URL).toBe(`nats://${REACHED.bus}`);
    }
    expect(readFileSync(join(secrets, 'migrate/database-url'), 'utf8')).toContain(`@${REACHED.database}/`);
  });
});

describe('the users of bus and live state', () => {
  it('are the same as in Compose, each with its own pod', () => {
    const users = services.map(([, workload]) => resolvedEnvironment(workload, {}).NATS_USER);
    expect([...users, 'admin'].sort()).toEqual(NATS_USERS.map(({ name }) => name).sort());
    expect(services.map(([name]) => name).sort()).toEqual(REDIS_USERS.map(({ name }) => name).sort());
  });

  it('get no secret that nobody reads', () => {
    const mounted = workloads.flatMap((one) => podOf(one).volumes?.flatMap(({ secret }) => secret?.secretName ?? []) ?? []);
    const generated = kustomizationOf('secrets').secretGenerator ?? [];
    expect(generated.map(({ name }) => name).sort()).toEqual(mounted.sort());
    for (const { name, files } of generated)
      for (const file of files) {
        expect(file.split('/')[0]).toBe(name);
        expect([file, existsSync(join(secrets, file))]).toEqual([file, true]);
      }
  });
});

describe('what there is one of', () => {
  it.each(['nats', 'redis', 'postgres'])('%s is never two at once, and no overlay makes it so', (name) => {
    expect(workloadNamed(name).spec).toMatchObject({ replicas: 1 });
    if (workloadNamed(name).kind === 'Deployment') expect(workloadNamed(name).spec).toMatchObject({ strategy: { type: 'Recreate' } });
    for (const overlay of OVERLAYS)
      expect(kustomizationOf(`overlays/${overlay}`).replicas?.map((one) => one.name) ?? []).not.toContain(name);
  });

  it.each(SERVICES)('%s may be several: it leaves nodes one by one, and another is there before it goes', (name) => {
    const budget = base.find(({ kind, metadata }) => kind === 'PodDisruptionBudget' && metadata.name === name);
    const spec = {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: { 'app.kubernetes.io/name': name } },
    };
    expect(budget).toMatchObject({ spec });
    expect(workloadNamed(name).spec).toMatchObject({ strategy: { rollingUpdate: { maxUnavailable: 0 } } });
    expect(workloadNamed(name).spec).not.toHaveProperty('replicas');
    expect(podOf(workloadNamed(name)).topologySpreadConstraints?.length).toBeGreaterThan(0);
  });
});

describe.each(OVERLAYS)('the overlay %s', (overlay) => {
  it('says where each of our images comes from, by version', () => {
    const ours = new Set(workloads.flatMap(containersOf).flatMap(({ image = '' }) => (image.startsWith('sotto-') ? [image] : [])));
    const { images = [] } = kustomizationOf(`overlays/${overlay}`);
    expect(images.map(({ name }) => name).sort()).toEqual([...ours].sort());
    for (const { newTag } of images) expect(newTag).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
