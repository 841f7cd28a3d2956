-- Lists of messages, and what a tenant takes away again.

-- A tenant's messages in the order of age. No update touches these columns, so updates stay HOT; an insert adds one entry
-- at the right end of its tenant's (docs/adr/0005 says what it costs). The collation is another one than the key's on
-- purpose: only a statement that names it can take this index, so none that looks a message up by its whole key does.
create index messages_of_tenants_by_age on messages (tenant_id collate "C", submitted_at, message_id);

-- A contact that was erased keeps its number, by which a message that is on its way is cancelled, and nothing else. Lists
-- and audiences pass it over; whoever makes a contact of the number has it back.
alter table contacts
    add column erased_at timestamptz;            -- business time; null: it is there

-- A sender or an account that was removed is offered to no message. Receipts, doubts and texts that still come find it.
alter table senders
    add column removed_at timestamptz;           -- business time; null: it is in use
alter table carrier_accounts
    add column removed_at timestamptz;           -- business time; null: it is in use
