import { join } from 'node:path';
import ts from 'typescript';
import { type Manifest, ROOT } from './kubernetes-manifests.js';

const FILE = join(ROOT, 'test/deploy/manifests-as-typescript.ts');
const OPTIONS: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  types: [],
};

/** Where objects depart from Kubernetes' API, unknown names included: what the compiler says of them as literals of its published types. */
export function shapeProblems(manifests: readonly Manifest[]): string[] {
  const source = manifests
    .map((manifest, i) => `export const ${nameOf(manifest, i)}: ${typeOf(manifest)} = ${JSON.stringify(manifest)};`)
    .join('\n');
  const host = ts.createCompilerHost(OPTIONS);
  const { getSourceFile, fileExists } = host;
  host.getSourceFile = (name, ...rest) =>
    name === FILE ? ts.createSourceFile(name, source, ts.ScriptTarget.ESNext) : getSourceFile(name, ...rest);
  host.fileExists = (name) => name === FILE || fileExists(name);
  const program = ts.createProgram([FILE], OPTIONS, host);
  return ts.getPreEmitDiagnostics(program).map((problem) => {
    const line = problem.file?.text.slice(0, problem.start).split('\n').at(-1) ?? '';
    return `${line.split(':', 1)[0]!.replace('export const ', '')}: ${ts.flattenDiagnosticMessageText(problem.messageText, ' ')}`;
  });
}

const nameOf = ({ kind, metadata }: Manifest, i: number): string => `${kind}_${metadata.name.replaceAll('-', '_')}_${i}`;

/** "networking.k8s.io/v1" is described in kubernetes-types/networking/v1, "v1" in …/core/v1. */
function typeOf({ apiVersion, kind }: Manifest): string {
  const [version = '', group = 'core'] = apiVersion.split('/').reverse();
  return `import('kubernetes-types/${group.split('.', 1)[0]}/${version}').${kind}`;
}
