-- Messages: one row each, from enrich on. Four updates in a message's life, all of them HOT: the
-- page keeps room for them and nothing but the key is indexed.

create table messages (
    tenant_id text not null,
    message_id uuid not null,
    turn integer not null default 1,             -- how often it was released into the pipe
    state smallint not null,                     -- domain::state::MessageState
    class text not null,
    channel text not null,
    contact_id uuid not null,
    number text not null,
    campaign_id uuid,
    body text not null,
    segments smallint not null,
    cost_micros bigint not null,                 -- rate card x segments, then x the carrier's segments
    body_hash bytea not null,                    -- SHA-256 of the submitted message
    metadata jsonb,
    submitted_at timestamptz not null,           -- business time
    expires_at timestamptz,
    version bigint not null default 1,           -- raised by every recorded change; names events
    changed_at timestamptz not null,             -- business time of the last change
    passport jsonb not null,
    -- the decision of the gates in this turn
    gate text,                                   -- the gate that deferred, held or blocked
    code text,                                   -- its reason, or the carrier's error
    due timestamptz,                             -- of a deferral
    sender_id uuid,                              -- of an admission
    policy_version bigint,
    sendable_until timestamptz,
    reserved_at timestamptz,                     -- counters hold a reservation made at this instant
    -- the claim of send
    claim_owner uuid,                            -- which send process holds it
    attempt smallint not null default 0,         -- carrier calls begun
    call_by timestamptz,                         -- database time; no call begins after it
    -- the carrier's answer
    carrier_sid text,
    primary key (tenant_id, message_id)
) with (fillfactor = 50);
call protect('messages');

-- Adds a stamp to a passport. A full one (32 stamps) loses the oldest of its second half, as
-- domain::passport does.
create function add_stamp(passport jsonb, stamp jsonb)
    returns jsonb
    language sql immutable parallel safe
    as $$ select (case when jsonb_array_length(passport) >= 32 then passport - 16 else passport end) || stamp $$;
grant execute on function add_stamp(jsonb, jsonb) to millrace_pipeline;

-- Another body under the id of a message that exists: the first stands, the second is listed here.
create table message_conflicts (
    tenant_id text not null,
    message_id uuid not null,
    body_hash bytea not null,
    at timestamptz not null,
    primary key (tenant_id, message_id, body_hash)
);
call protect('message_conflicts');
