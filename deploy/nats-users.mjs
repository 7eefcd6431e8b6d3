// What each service may say and hear on the bus (SECURITY.md § Trust between services): services believe the identity in a call
// because nobody but the gateway may publish calls. The specs connect as each user and see the rest refused.

const service = (name, { publish = [], subscribe = [] }) => ({
  name,
  publish,
  subscribe: [...subscribe, `_INBOX.${name}.>`],
});

/** Answers go to the inbox of whoever asked: allowed once for each request. */
export const NATS_USERS = [
  service('gateway', {
    publish: ['call.>', 'svc.sotto.internal.v1.Gateways.>', 'relay.*.in', 'device.changed'],
    subscribe: ['gateway.*.out', 'gateway.*.event', 'sessions.revoked', 'device.changed', 'contacts.resumed'],
  }),
  service('auth', {
    publish: ['svc.sotto.internal.v1.ContactLookup.>', 'svc.sotto.internal.v1.KeyPackageLedger.>', 'sessions.revoked', 'gateway.*.event'],
    subscribe: [
      'call.sotto.v1.Accounts.>',
      'call.sotto.v1.Invites.>',
      'call.sotto.v1.Approvals.>',
      'svc.sotto.internal.v1.AccountLookup.>',
      'svc.sotto.internal.v1.Gateways.>',
      'svc.sotto.internal.v1.Admin.>',
    ],
  }),
  service('contacts', {
    publish: ['svc.sotto.internal.v1.AccountLookup.>', 'svc.sotto.internal.v1.KeyPackageLedger.>', 'gateway.*.event', 'contacts.resumed'],
    subscribe: ['call.sotto.v1.Contacts.>', 'svc.sotto.internal.v1.ContactLookup.>', 'device.changed'],
  }),
  service('directory', {
    publish: ['svc.sotto.internal.v1.ContactLookup.>', 'gateway.*.event'],
    subscribe: ['call.sotto.v1.KeyPackages.>', 'svc.sotto.internal.v1.KeyPackageLedger.>'],
  }),
  service('relay', { publish: ['gateway.*.out'], subscribe: ['relay.*.in', 'device.changed'] }),
  service('admin', { publish: ['svc.sotto.internal.v1.Admin.>'] }),
];

const list = (subjects) => `[${subjects.map((subject) => JSON.stringify(subject)).join(', ')}]`;

function userBlock(user, password) {
  return `    {
      user: ${user.name}, password: ${JSON.stringify(password)}
      permissions: {
        publish: { allow: ${list(user.publish)} }
        subscribe: { allow: ${list(user.subscribe)} }
        allow_responses: { max: 1, expires: "30s" }
      }
    }`;
}

function tlsBlock({ certificate, key }) {
  return `tls: { cert_file: ${JSON.stringify(certificate)}, key_file: ${JSON.stringify(key)}, timeout: 5 }\n`;
}

/**
 * nats-server's configuration.
 * @param {Record<string, string>} passwords by user name.
 * @param {{ monitoring?: string, tls?: { certificate: string, key: string } }} options "host:port" of the monitoring pages: they show subjects and
 * addresses, so they answer this machine alone; and files of a certificate, without which the bus is in clear.
 */
export function natsConfig(passwords, { monitoring = '127.0.0.1:8222', tls } = {}) {
  return `# Core NATS alone: nothing that is published is kept.
http: ${JSON.stringify(monitoring)}
max_payload: 1048576
max_pending: 8388608
write_deadline: "2s"
# A service that hangs holds its share of its queue group's calls until it is noticed: within three of these.
ping_interval: "2s"
ping_max: 2
${tls === undefined ? '' : tlsBlock(tls)}authorization: {
  users: [
${NATS_USERS.map((user) => userBlock(user, passwords[user.name])).join('\n')}
  ]
}
`;
}
