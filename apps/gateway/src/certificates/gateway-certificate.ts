import { fromBinary } from '@bufbuild/protobuf';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { type GatewayIdentity, makeGatewayKey } from '@sotto/channel';
import { RpcClient } from '@sotto/platform/rpc';
import { CertificateBodySchema } from '@sotto/protocol';
import { Gateways } from '@sotto/protocol/internal';
import { importJWK, type CryptoKey, type KeyObject, type JWK } from 'jose';

/** Waits between tries: from here, doubled up to there. */
const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 2_000;
/** How often the clock is looked at: a timer of hours would stand still while the machine sleeps. */
const LOOK_MS = 30_000;

/** The gateway's own key, in its memory only, and auth's word for it; renewed from half of its life on (docs/protocol.md § Handshake). */
@Injectable()
export class GatewayCertificateHolder implements OnApplicationShutdown {
  private readonly log = new Logger(GatewayCertificateHolder.name);
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private certified: GatewayIdentity | undefined;
  /** Unix milliseconds. */
  private renewAt = 0;
  private expiresAt = 0;
  /** Checks access tokens. */
  tokenKey!: CryptoKey | KeyObject | Uint8Array;
  server = '';

  constructor(private readonly rpc: RpcClient) {}

  /** Undefined before the first certificate, and when the newest has expired: no client would take it. */
  get identity(): GatewayIdentity | undefined {
    return Date.now() < this.expiresAt ? this.certified : undefined;
  }

  /** Resolves with the first certificate: waits for auth as long as it takes. */
  async start(): Promise<void> {
    for (let wait = FIRST_RETRY_MS; !this.stopped; wait = Math.min(2 * wait, LAST_RETRY_MS)) {
      try {
        await this.renew();
        return this.keepRenewing();
      } catch {
        if (wait === LAST_RETRY_MS) this.log.warn('waiting for auth to certify this gateway');
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  onApplicationShutdown(): void {
    this.stopped = true;
    clearInterval(this.timer);
  }

  private async renew(): Promise<void> {
    const key = makeGatewayKey();
    const response = await this.rpc.call(Gateways.method.certify, { gatewayKey: key.publicKey });
    if (response.certificate === undefined) throw new Error('auth answered without a certificate');
    const jwk: JWK = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(response.tokenKey).toString('base64url') };
    this.tokenKey = await importJWK(jwk, 'EdDSA');
    this.server = response.server;
    this.certified = { certificate: response.certificate, gatewaySigningKey: key.secretKey };
    const { notBefore, notAfter } = fromBinary(CertificateBodySchema, response.certificate.body);
    this.renewAt = Number(notBefore + notAfter) * 500;
    this.expiresAt = Number(notAfter) * 1_000;
    if (this.identity === undefined) this.log.error('the certificate that auth has just signed has expired: do their clocks agree?');
  }

  private keepRenewing(): void {
    if (this.stopped) return;
    this.timer = setInterval(() => {
      if (Date.now() >= this.renewAt) this.renew().catch(() => this.log.warn('auth does not certify this gateway anew'));
    }, LOOK_MS);
    this.timer.unref();
  }
}
