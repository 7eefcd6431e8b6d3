import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import type { Deployment, StatefulSet } from 'kubernetes-types/apps/v1.js';
import type { Job } from 'kubernetes-types/batch/v1.js';
import type { ConfigMap, Container, EnvVar, PodSpec, Secret, Service } from 'kubernetes-types/core/v1.js';
import type { NetworkPolicy, NetworkPolicyPeer } from 'kubernetes-types/networking/v1.js';
import type { LabelSelector, ObjectMeta } from 'kubernetes-types/meta/v1.js';

export const ROOT = resolve(import.meta.dirname, '../..');
export const K8S = join(ROOT, 'k8s');
export const OVERLAYS = ['small', 'large'] as const;

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta & { name: string };
}

export type Workload = (Deployment | StatefulSet | Job) & Manifest;

export interface Kustomization {
  resources?: string[];
  components?: string[];
  images?: { name: string; newName?: string; newTag?: string }[];
  replicas?: { name: string; count: number }[];
  configMapGenerator?: { name: string; literals?: string[] }[];
  secretGenerator?: { name: string; files: string[] }[];
}

/** What reads YAML comes with Jest. */
const yaml = createRequire(import.meta.url)('js-yaml') as { load(text: string): unknown; loadAll(text: string): unknown[] };

export const parseManifests = (text: string): Manifest[] => yaml.loadAll(text) as Manifest[];
export const readYaml = (file: string): unknown => yaml.load(readFileSync(file, 'utf8'));
/** @param folder below k8s/. */
export const kustomizationOf = (folder: string): Kustomization => readYaml(join(K8S, folder, 'kustomization.yaml')) as Kustomization;

/** Every folder below k8s/ that is a kustomization. */
export function kustomizations(): string[] {
  const files = readdirSync(K8S, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('/kustomization.yaml')).map((file) => file.slice(0, -'/kustomization.yaml'.length));
}

/** The objects that stand as such in a folder's files. */
export function manifestsIn(folder: string): Manifest[] {
  const files = (kustomizationOf(folder).resources ?? []).filter((name) => name.endsWith('.yaml'));
  return files.flatMap((file) => parseManifests(readFileSync(join(K8S, folder, file), 'utf8')));
}

export const isWorkload = (manifest: Manifest): manifest is Workload => ['Deployment', 'StatefulSet', 'Job'].includes(manifest.kind);
export const isService = (manifest: Manifest): manifest is Service & Manifest => manifest.kind === 'Service';
export const isPolicy = (manifest: Manifest): manifest is NetworkPolicy & Manifest => manifest.kind === 'NetworkPolicy';
export const isSecret = (manifest: Manifest): manifest is Secret & Manifest => manifest.kind === 'Secret';
export const isConfigMap = (manifest: Manifest): manifest is ConfigMap & Manifest => manifest.kind === 'ConfigMap';

/** A workload of the base. */
export function workloadNamed(name: string): Workload {
  const found = manifestsIn('base')
    .filter(isWorkload)
    .find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw new Error(`no ${name} in k8s/base`);
  return found;
}

export const podOf = (workload: Workload): PodSpec => workload.spec!.template!.spec!;
export const containersOf = (workload: Workload): Container[] => [...(podOf(workload).initContainers ?? []), ...podOf(workload).containers];
export const environmentOf = (workload: Workload): EnvVar[] => containersOf(workload).flatMap(({ env = [] }) => env);

/** Settings of an overlay: those of the base, its components' and its own over them. */
export function settingsOf(overlay: string): Record<string, string> {
  const folder = `overlays/${overlay}`;
  const components = (kustomizationOf(folder).components ?? []).map((path) => path.replace(/^(\.\.\/)+/, ''));
  const literals = ['base', ...components, folder].flatMap((each) =>
    (kustomizationOf(each).configMapGenerator ?? []).flatMap((generator) => generator.literals ?? []),
  );
  return Object.fromEntries(literals.map((literal) => [literal.slice(0, literal.indexOf('=')), literal.slice(literal.indexOf('=') + 1)]));
}

/** The environment that a workload's container is given under these settings, a missing one undefined. */
export function resolvedEnvironment(workload: Workload, settings: Readonly<Record<string, string>>): Record<string, string | undefined> {
  return Object.fromEntries(
    environmentOf(workload).map(({ name, value, valueFrom }) => {
      const key = valueFrom?.configMapKeyRef?.key;
      return [name, key === undefined ? value : settings[key]];
    }),
  );
}

/** "from → to:port", as policies allow it at one of the two ends; "" is anybody. */
export function edges(policies: readonly NetworkPolicy[], end: 'ingress' | 'egress'): string[] {
  return policies.flatMap(({ spec }) => {
    const rules = end === 'ingress' ? (spec?.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports })) : [];
    if (end === 'egress') rules.push(...(spec?.egress ?? []).map(({ to, ports }) => ({ peers: to, ports })));
    return rules.flatMap(({ peers, ports = [] }) =>
      namesIn(spec!.podSelector).flatMap((own) =>
        peerNames(peers).flatMap((peer) =>
          ports.map(({ port }) => (end === 'egress' ? `${own} → ${peer}:${String(port)}` : `${peer} → ${own}:${String(port)}`)),
        ),
      ),
    );
  });
}

function peerNames(peers: NetworkPolicyPeer[] | undefined): string[] {
  if (peers === undefined) return [''];
  return peers.flatMap(({ podSelector, namespaceSelector }) => {
    const namespace = namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name'];
    return namespace === undefined ? namesIn(podSelector ?? {}) : [namespace];
  });
}

function namesIn({ matchLabels, matchExpressions = [] }: LabelSelector): string[] {
  const label = 'app.kubernetes.io/name';
  return [...(matchLabels?.[label] === undefined ? [] : [matchLabels[label]]), ...matchExpressions.flatMap(({ values = [] }) => values)];
}
