'use strict';

const BROWSER_SAFE = '^libs/(protocol|channel|mls|client)/src/';
const SERVER_APP = '^apps/(gateway|auth|contacts|directory|relay|standalone)/';
const CLIENT_APP = '^apps/(terminal|web)/';
const TEST_CODE = '\\.(spec|contract|harness)\\.tsx?$';
const PRODUCT = { path: '^(apps|libs)/', pathNot: [TEST_CODE, '^libs/testing/'] };

/** Packages resolve to what they publish, so a target is `libs/x/dist/…` or `libs/x/src/…`. */
const lib = (names) => `^(node_modules/@sotto|libs)/(${names})/`;
const npm = (names) => `(^|/)node_modules/(${names})/`;

const rule = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });

/** The import directions, one rule a line; test/architecture shows each one firing. */
module.exports = {
  forbidden: [
    rule(
      'no-cycles',
      { path: '^(apps|libs)/[^/]+/src/', pathNot: '/generated/' },
      { circular: true },
      'modules that need each other are one module',
    ),
    rule(
      'apps-never-import-apps',
      { path: '^apps/([^/]+)/', pathNot: '^apps/(standalone|terminal)/' },
      {
        path: '^(apps|node_modules/@sotto)/(gateway|auth|contacts|directory|relay|standalone|terminal|web)/',
        pathNot: '^(apps|node_modules/@sotto)/$1/',
      },
      'services talk over the bus',
    ),
    rule(
      'terminal-imports-only-standalone',
      { path: '^apps/terminal/' },
      { path: '^(apps|node_modules/@sotto)/(gateway|auth|contacts|directory|relay|web)/' },
      '`sotto host` starts the standalone and nothing else',
    ),
    rule(
      'libs-never-import-apps',
      { path: '^libs/' },
      { path: '^(apps/|node_modules/@sotto/(gateway|auth|contacts|directory|relay|standalone|terminal|web)/)' },
      'libraries lie below',
    ),
    rule(
      'protocol-imports-nothing-of-ours',
      { path: '^libs/protocol/' },
      { path: lib('channel|mls|client|platform|testing') },
      'the wire types are the ground',
    ),
    rule(
      'channel-imports-only-protocol',
      { path: '^libs/channel/', pathNot: TEST_CODE },
      { path: lib('mls|client|platform|testing') },
      'the outer channel knows no service and no group',
    ),
    rule(
      'mls-imports-only-protocol',
      { path: '^libs/mls/', pathNot: TEST_CODE },
      { path: lib('channel|client|platform|testing') },
      'the engine is pure',
    ),
    rule(
      'client-imports-only-protocol-channel-mls',
      { path: '^libs/client/', pathNot: TEST_CODE },
      { path: lib('platform|testing') },
      'the SDK knows no server code',
    ),
    rule(
      'platform-imports-only-protocol',
      { path: '^libs/platform/', pathNot: TEST_CODE },
      { path: lib('channel|mls|client|testing') },
      'plumbing knows no secrets',
    ),
    rule(
      'server-apps-never-reach-mls-or-client',
      { path: SERVER_APP },
      { reachable: true, path: `${lib('mls|client')}|${npm('ts-mls')}` },
      'the server cannot read',
    ),
    rule(
      'only-the-gateway-imports-channel',
      { path: '^apps/(auth|contacts|directory|relay|standalone)/', pathNot: TEST_CODE },
      { path: lib('channel') },
      'only the door opens boxes',
    ),
    rule(
      'clients-never-import-server-plumbing',
      { path: `${CLIENT_APP}|^libs/client/` },
      { path: `${lib('platform')}|${npm('@nestjs/[^/]+|@prisma/[^/]+|prisma|ioredis')}` },
      'clients draw what the SDK says',
    ),
    rule(
      'only-stores-touch-redis',
      {
        path: '^(apps|libs)/[^/]+/src/',
        pathNot: [TEST_CODE, '\\.store\\.ts$', '^libs/platform/src/(live-state|service|health)/', '^libs/testing/'],
      },
      { path: npm('ioredis'), dependencyTypesNot: ['type-only'] },
      'drivers are mechanisms',
    ),
    rule(
      'only-stores-touch-the-database',
      { path: '^(apps|libs)/[^/]+/src/', pathNot: [TEST_CODE, '\\.store\\.ts$', '^libs/platform/src/database/', '^libs/testing/'] },
      { path: npm('@prisma/[^/]+|pg|@electric-sql/pglite'), dependencyTypesNot: ['type-only'] },
      'drivers are mechanisms',
    ),
    rule(
      'programs-use-the-client-by-its-entry',
      { path: '^apps/' },
      { path: '^(node_modules/@sotto|libs)/client/(src|dist)/core\\.' },
      'what lies under the entry is for the simulation',
    ),
    rule(
      'examples-import-only-the-client',
      { path: '^examples/' },
      { path: '^(apps|libs|test|node_modules/@sotto)/', pathNot: lib('client') },
      'they show what others can do with what is published',
    ),
    rule('product-never-imports-tests', PRODUCT, { path: `${lib('testing')}|^test/|${TEST_CODE}` }, 'tests are not shipped'),
    rule(
      'browser-safe-libs-import-no-node',
      { path: BROWSER_SAFE, pathNot: [TEST_CODE, '^libs/client/src/node/', '^libs/mls/src/(node|crypto/node-provider)\\.ts$'] },
      { dependencyTypes: ['core'] },
      'they run in browsers',
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    doNotFollow: { path: '(^|/)node_modules/(?!@sotto/)' },
    exclude: { path: '(/coverage/|^apps/terminal/dist/bundle/|^test/architecture/fixtures/|\\.d\\.ts$)' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'default', 'node'] },
  },
};
