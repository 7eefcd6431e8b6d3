import { type DynamicModule, Module } from '@nestjs/common';
import { CallRouter } from './calls/call-router.js';
import { GatewayCertificateHolder } from './certificates/gateway-certificate.js';
import { Admission } from './connections/admission.js';
import { ConnectionTable } from './connections/connection-table.js';
import { Door } from './connections/door.js';
import { FrameDispatcher } from './connections/frame-dispatcher.js';
import { Receiver } from './connections/receiver.js';
import { GATEWAY_CONFIG, type GatewayConfig } from './gateway.config.js';
import { GatewayService } from './gateway.service.js';
import { RelayLinks } from './relays/relay-links.js';
import { AccessTokenStrategy } from './sessions/access-token.strategy.js';
import { DeviceNews } from './sessions/device-news.js';
import { OutdatedContacts } from './sessions/outdated-contacts.js';
import { RecentRevocations } from './sessions/recent-revocations.js';
import { SessionService } from './sessions/session.service.js';
import { SessionWatch } from './sessions/session-watch.js';

@Module({})
export class GatewayModule {
  static forRoot(config: GatewayConfig): DynamicModule {
    return {
      module: GatewayModule,
      providers: [
        { provide: GATEWAY_CONFIG, useValue: config },
        AccessTokenStrategy,
        Admission,
        CallRouter,
        ConnectionTable,
        DeviceNews,
        Door,
        FrameDispatcher,
        GatewayCertificateHolder,
        GatewayService,
        OutdatedContacts,
        Receiver,
        RecentRevocations,
        RelayLinks,
        SessionService,
        SessionWatch,
      ],
      exports: [GatewayService],
    };
  }
}
