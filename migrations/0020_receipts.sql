-- Receipts that do not come, and receipts about messages that are not here. Why it is done like
-- this: docs/adr/0010.

-- Messages that the carrier has and nobody has said the end of, up to 256 of a tenant in a row. The
-- sweep makes a row when it is done with claims (0016), so that the way of a message costs nothing
-- more. It only points: where a message stands is in its own row.
create table receipt_watches (
    tenant_id text not null,
    watch_id uuid not null default gen_random_uuid(),
    due timestamptz not null,                    -- of the next look; business time
    looks integer not null default 0,            -- that found somebody without a receipt: the next ones come later
    looked_at timestamptz,                       -- business time of the look under way; what it raises bears it, and a repeat finds that by it
    leased_until timestamptz,                    -- database time; nobody else looks before it
    messages uuid[] not null,
    primary key (tenant_id, watch_id)
) with (toast_tuple_target = 8160);              -- 256 ids stay in the row
call protect('receipt_watches');
call open_to_lookups('receipt_watches');
create index receipt_watches_by_due on receipt_watches (tenant_id, due);

-- Receipts about a message that has no row, at most 1,000 of a tenant and for 30 days. One that
-- comes to have a row gets them.
create table unmatched_receipts (
    tenant_id text not null,
    receipt_id uuid not null,                    -- the request that brought it first
    message_id uuid not null,                    -- the reference in its address
    account text not null,
    sid text not null,                           -- the carrier's id of the text
    state smallint not null,                     -- domain::state::MessageState
    code integer,                                -- the carrier's error, where it failed
    at timestamptz not null,                     -- business time of its arrival
    next_look timestamptz not null,              -- for a row of the message; database time
    looks integer not null default 0,
    primary key (tenant_id, receipt_id),
    unique (tenant_id, message_id, sid, state)   -- a repeat is kept once
);
call protect('unmatched_receipts');
call open_to_lookups('unmatched_receipts');
create index unmatched_receipts_by_next_look on unmatched_receipts (next_look);

-- Watches that are due, oldest first, at most `per_tenant` of each tenant; `size` is how many
-- messages each names.
create function due_receipt_watches(as_of timestamptz, per_tenant bigint, at_most bigint)
    returns table (tenant_id text, watch_id uuid, size integer)
    language sql volatile security definer set search_path = millrace, pg_temp
    as $$
        select w.tenant_id, w.watch_id, w.size
        from tenants t
        cross join lateral (
            select d.tenant_id, d.watch_id, d.due, cardinality(d.messages) as size
            from receipt_watches d
            where d.tenant_id = t.tenant_id and d.due <= as_of
              and (d.leased_until is null or d.leased_until < (select clock_timestamp()))
            order by d.due limit per_tenant
        ) w
        order by w.due limit at_most
    $$;

-- Unmatched receipts that are due for a look, oldest first.
create function due_unmatched_receipts(at_most bigint)
    returns table (tenant_id text, receipt_id uuid)
    language sql volatile security definer set search_path = millrace, pg_temp
    as $$
        select r.tenant_id, r.receipt_id from unmatched_receipts r
        where r.next_look <= (select clock_timestamp())
        order by r.next_look limit at_most
    $$;

grant execute on function due_receipt_watches(timestamptz, bigint, bigint) to millrace_pipeline;
grant execute on function due_unmatched_receipts(bigint) to millrace_pipeline;
