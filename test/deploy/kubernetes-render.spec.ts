import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@sotto/testing';
import {
  containersOf,
  edges,
  environmentOf,
  isConfigMap,
  isPolicy,
  isSecret,
  isService,
  isWorkload,
  K8S,
  type Manifest,
  OVERLAYS,
  parseManifests,
  podOf,
  ROOT,
  settingsOf,
} from './kubernetes-manifests.js';

function hasKubectl(): boolean {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const render = (folder: string): Manifest[] =>
  parseManifests(execFileSync('kubectl', ['kustomize', folder], { encoding: 'utf8', maxBuffer: 16 << 20 }));

const describeWithKubectl = hasKubectl() ? describe : describe.skip;

describeWithKubectl('what kubectl makes of k8s/ (skipped where there is no kubectl)', () => {
  let folder: string;
  beforeAll(async () => {
    folder = join(await temporaryFolder('kubernetes-rendered'), 'k8s');
    cpSync(K8S, folder, { recursive: true });
    execFileSync(process.execPath, ['deploy/init.mjs', join(folder, 'secrets'), '--kubernetes'], { cwd: ROOT });
  });

  describe.each(OVERLAYS)('the overlay %s', (overlay) => {
    let rendered: Manifest[];
    beforeAll(() => {
      rendered = render(join(folder, 'overlays', overlay));
    });
    const find = (kind: string, name: string): Manifest | undefined =>
      rendered.find((one) => one.kind === kind && one.metadata.name === name);

    it('stands in one namespace, whose rules every pod must meet', () => {
      for (const { kind, metadata } of rendered) if (kind !== 'Namespace') expect([kind, metadata.namespace]).toEqual([kind, 'sotto']);
      expect(find('Namespace', 'sotto')?.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    });

    it('gives pods secrets and settings that are there, under names that change with what they hold', () => {
      const names = [...rendered.filter(isSecret), ...rendered.filter(isConfigMap)].map(({ metadata }) => metadata.name);
      for (const workload of rendered.filter(isWorkload)) {
        const secrets = podOf(workload).volumes?.flatMap(({ secret }) => secret?.secretName ?? []) ?? [];
        const settings = environmentOf(workload).flatMap(({ valueFrom }) => valueFrom?.configMapKeyRef?.name ?? []);
        for (const name of [...secrets, ...settings]) expect(names).toContain(name);
        expect([...secrets, ...settings].filter((name) => !/-[a-z0-9]{10}$/.test(name))).toEqual([]);
      }
    });

    it('sets what the files say it sets', () => {
      expect(rendered.filter(isConfigMap).map(({ data }) => data)).toEqual([settingsOf(overlay)]);
    });

    it('takes our images from a registry, with a version', () => {
      const images = rendered
        .filter(isWorkload)
        .flatMap(containersOf)
        .map(({ image }) => image ?? '');
      for (const image of images.filter((one) => one.includes('sotto')))
        expect(image).toMatch(/^registry\.example\.org\/sotto-\w+:\d+\.\d+\.\d+$/);
    });

    it('has all that the migration needs under the label by which an upgrade applies it first', () => {
      const first = rendered.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/name'] === 'migrate');
      expect(first.map(({ kind }) => kind).sort()).toEqual(['Job', 'NetworkPolicy', 'Secret']);
      const labels = { 'app.kubernetes.io/part-of': 'sotto' };
      for (const { metadata } of rendered.filter(({ kind }) => kind !== 'Ingress' && kind !== 'HorizontalPodAutoscaler'))
        expect(metadata.labels).toMatchObject(labels);
    });

    it('believes what proxies say of addresses only where nobody but a proxy reaches a gateway', () => {
      const clients = edges(rendered.filter(isPolicy), 'ingress').filter((edge) => edge.endsWith('→ gateway:7788'));
      const { spec } = rendered.filter(isService).find(({ metadata }) => metadata.name === 'gateway')!;
      if (settingsOf(overlay).TRUSTED_PROXIES === '') expect(spec).toMatchObject({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' });
      else expect(clients).toEqual(['ingress-nginx → gateway:7788']);
      expect(spec?.type ?? 'ClusterIP').toBe(settingsOf(overlay).TRUSTED_PROXIES === '' ? 'LoadBalancer' : 'ClusterIP');
    });

    it('keeps memory from swap after all patches', () => {
      for (const { resources } of rendered.filter(isWorkload).flatMap(containersOf))
        expect(resources?.requests?.memory).toBe(resources?.limits?.memory);
    });
  });

  it('large has an ingress for the name that an operator chose, and several of what may be several', () => {
    const file = join(folder, 'overlays/large/kustomization.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/SERVER_NAME=.*/, 'SERVER_NAME=talk.example.net'));
    const large = render(join(folder, 'overlays/large'));
    const host = 'talk.example.net';
    expect(large.find(({ kind }) => kind === 'Ingress')).toMatchObject({ spec: { rules: [{ host }], tls: [{ hosts: [host] }] } });
    const scaled = large.filter(isWorkload).map((one) => [one.metadata.name, 'replicas' in one.spec! ? one.spec.replicas : undefined]);
    expect(Object.fromEntries(scaled)).toMatchObject({ gateway: undefined, relay: 3, nats: 1, redis: 1, postgres: 1 });
  });

  it('a managed Postgres takes the place of the one in the cluster', () => {
    appendFileSync(join(folder, 'overlays/small/kustomization.yaml'), 'components: [../../components/managed-postgres]\n');
    const rendered = render(join(folder, 'overlays/small'));
    const left = rendered.filter(({ kind, metadata }) => metadata.name === 'postgres' && kind !== 'Secret');
    expect(left).toEqual([]);
    const outward = rendered.filter(isPolicy).filter(({ spec }) => JSON.stringify(spec?.egress ?? []).includes('192.0.2.10/32'));
    expect(outward.map(({ metadata }) => metadata.name).sort()).toEqual(['auth', 'contacts', 'migrate']);
    expect(edges(rendered.filter(isPolicy), 'egress').filter((edge) => edge.includes('postgres'))).toEqual([]);
  });
});
