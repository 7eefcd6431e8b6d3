import { fromBinary } from '@bufbuild/protobuf';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { makeGatewayKey } from '@sotto/channel';
import { RpcClient } from '@sotto/platform/rpc';
import { CertificateBodySchema, type GatewayCertificate } from '@sotto/protocol';
import { Gateways } from '@sotto/protocol/internal';
import { importJWK, type CryptoKey, type KeyObject, type JWK } from 'jose';

/** Waits between tries: from here, doubled up to there. */
const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 2_000;
const RENEWAL_RETRY_MS = 30_000;

/** The gateway's own key, in its memory only, and auth's word for it; renewed at half of its life (docs/protocol.md § Handshake). */
@Injectable()
export class GatewayCertificateHolder implements OnApplicationShutdown {
  private readonly log = new Logger(GatewayCertificateHolder.name);
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  certificate: GatewayCertificate | undefined;
  signingKey!: Uint8Array;
  /** Checks access tokens. */
  tokenKey!: CryptoKey | KeyObject | Uint8Array;
  server = '';

  constructor(private readonly rpc: RpcClient) {}

  /** Resolves with the first certificate: waits for auth as long as it takes. */
  async start(): Promise<void> {
    for (let wait = FIRST_RETRY_MS; !this.stopped; wait = Math.min(2 * wait, LAST_RETRY_MS)) {
      try {
        return await this.renew();
      } catch {
        if (wait === LAST_RETRY_MS) this.log.warn('waiting for auth to certify this gateway');
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  onApplicationShutdown(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async renew(): Promise<void> {
    const key = makeGatewayKey();
    const response = await this.rpc.call(Gateways.method.certify, { gatewayKey: key.publicKey });
    if (response.certificate === undefined) throw new Error('auth answered without a certificate');
    const jwk: JWK = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(response.tokenKey).toString('base64url') };
    this.tokenKey = await importJWK(jwk, 'EdDSA');
    this.server = response.server;
    this.signingKey = key.secretKey;
    this.certificate = response.certificate;
    const { notBefore, notAfter } = fromBinary(CertificateBodySchema, response.certificate.body);
    this.renewIn((Number(notAfter - notBefore) / 2) * 1_000);
  }

  private renewIn(ms: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.renew().catch(() => this.renewIn(RENEWAL_RETRY_MS)), ms);
    this.timer.unref();
  }
}
