import { Controller, Inject } from '@nestjs/common';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Payload } from '@nestjs/microservices';
import { Rpc } from '@sotto/platform/rpc';
import { toHex } from '@sotto/protocol';
import { ContactLookup } from '@sotto/protocol/internal';
import type { AccountChangedRequest, MayClaimRequest, MayClaimResponseSchema } from '@sotto/protocol/internal';
import { PresenceService } from '../presence/presence.service.js';
import { CONTACT_STORE } from './contact.store.js';
import type { ContactStore } from './contact.store.js';
import { ContactsService } from './contacts.service.js';

/** What directory and auth may ask. */
@Controller()
export class ContactLookupController {
  constructor(
    @Inject(CONTACT_STORE) private readonly store: ContactStore,
    private readonly contacts: ContactsService,
    private readonly presence: PresenceService,
  ) {}

  /** A claimer who was removed or blocked goes on being answered (docs/protocol.md § Contacts and presence): whether the owner still wants the contact must not show. */
  @Rpc(ContactLookup.method.mayClaim)
  async mayClaim(@Payload() request: MayClaimRequest): Promise<MessageInitShape<typeof MayClaimResponseSchema>> {
    const claimer = toHex(request.claimer);
    const owner = toHex(request.owner);
    if (claimer === owner) return { allowed: true };
    const { one: claimers, other: owners } = await this.store.standing(claimer, owner);
    return { allowed: claimers !== undefined, revoke: owners === undefined, since: BigInt(owners?.changedAt ?? 0) };
  }

  @Rpc(ContactLookup.method.accountChanged)
  async accountChanged(@Payload() request: AccountChangedRequest): Promise<object> {
    const account = toHex(request.account);
    if (request.deleted) {
      const peers = await this.store.mutual(account);
      await this.presence.seemToLeave(account, peers);
      await this.store.forget(account);
    } else if (request.identityKeyChanged) {
      await this.contacts.tellNewKey(account);
    }
    return {};
  }
}
