-- CreateEnum
CREATE TYPE "contact_state" AS ENUM ('PENDING', 'REQUESTED', 'ACCEPTED', 'BLOCKED');

-- CreateTable
CREATE TABLE "accounts" (
    "id" CHAR(32) NOT NULL,
    "name" VARCHAR(48) NOT NULL,
    "base_name" VARCHAR(32) NOT NULL,
    "tag" VARCHAR(8),
    "password_hash" TEXT,
    "identity_key" BYTEA,
    "invite" VARCHAR(64),
    "sessions_valid_after" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_devices" JSONB NOT NULL DEFAULT '{}',
    "disabled" BOOLEAN NOT NULL DEFAULT false,
    "deleted" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "accounts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "contacts" (
    "owner" CHAR(32) NOT NULL,
    "peer_name" VARCHAR(48) NOT NULL,
    "peer" CHAR(32),
    "state" "contact_state" NOT NULL,
    "requested_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "accepted_by_owner" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "contacts_pkey" PRIMARY KEY ("owner", "peer_name")
);

-- CreateIndex
CREATE UNIQUE INDEX "accounts_name_key" ON "accounts"("name");

-- CreateIndex
CREATE UNIQUE INDEX "accounts_invite_key" ON "accounts"("invite");

-- CreateIndex
CREATE INDEX "contacts_peer_idx" ON "contacts"("peer");

-- CreateIndex
CREATE INDEX "contacts_state_requested_at_idx" ON "contacts"("state", "requested_at");
