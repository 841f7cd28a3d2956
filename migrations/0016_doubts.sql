-- Calls in doubt: where claims that nobody ended are found, what waits for evidence, and which of a
-- carrier's texts are spoken for. Why it is done like this: docs/adr/0008.

-- Claims that may still be open: one row per chunk of claims and tenant, written by the statement
-- that claims. It only points: whether a claim is open, whose and until when is in the message's own
-- row, which carries no index for it. The sweep reads a row once its time is past and deletes it;
-- send never comes back to it, so the calls that go well cost no second write.
create table open_claims (
    tenant_id text not null,
    owner uuid not null,                         -- which send process
    chunk bigint not null,                       -- counted by it
    call_by timestamptz not null,                -- of its latest claim; database time
    messages uuid[] not null,
    primary key (tenant_id, owner, chunk)
) with (toast_tuple_target = 8160);              -- 256 ids stay in the row
call protect('open_claims');
call open_to_lookups('open_claims');

-- Messages in doubt, and when their carrier is asked next.
create table doubts (
    tenant_id text not null,
    message_id uuid not null,
    account text not null,                       -- that was called: its list is the evidence
    raised_at timestamptz not null,              -- business time
    next_look timestamptz not null,              -- database time
    looks integer not null default 0,            -- that settled nothing: the next ones come later
    payload jsonb,                               -- wire::Enriched, to send it again; none where the claim's owner died with it
    settled_version bigint,                      -- the message's version that ended the doubt, until that has been said
    primary key (tenant_id, message_id)
);
call protect('doubts');
call open_to_lookups('doubts');
create index doubts_by_next_look on doubts (next_look);

-- Texts that a carrier's list gave to a message. Each is given once; whatever the carrier says about
-- it from then on is said about that message.
create table taken_sids (
    tenant_id text not null,
    account text not null,
    sid text not null,
    message_id uuid not null,
    taken_at timestamptz not null,               -- database time; kept for 30 days
    primary key (tenant_id, account, sid)
);
call protect('taken_sids');

-- A person's messages: which of the texts that a carrier lists are known already. No update touches
-- these two columns, so that updates stay HOT.
create index messages_by_contact on messages (tenant_id, contact_id);

-- Chunks whose calls must be over, oldest first.
create function past_claims(past double precision, at_most bigint)
    returns table (tenant_id text, owner uuid, chunk bigint)
    language sql volatile security definer set search_path = millrace, pg_temp
    as $$
        select c.tenant_id, c.owner, c.chunk from open_claims c
        where c.call_by < (select clock_timestamp() - make_interval(secs => past))
        order by c.call_by limit at_most
    $$;

-- Doubts that are due for a look, oldest first, at most `per_tenant` of each tenant.
create function due_doubts(per_tenant bigint, at_most bigint)
    returns table (tenant_id text, message_id uuid)
    language sql volatile security definer set search_path = millrace, pg_temp
    as $$
        select r.tenant_id, r.message_id
        from (
            select d.tenant_id, d.message_id, d.next_look,
                   row_number() over (partition by d.tenant_id order by d.next_look) as place
            from doubts d where d.next_look <= (select clock_timestamp())
        ) r
        where r.place <= per_tenant
        order by r.next_look limit at_most
    $$;

create function doubts_count()
    returns bigint
    language sql stable security definer set search_path = millrace, pg_temp
    as $$ select count(*) from doubts d where d.settled_version is null $$;

grant execute on function past_claims(double precision, bigint) to millrace_pipeline;
grant execute on function due_doubts(bigint, bigint) to millrace_pipeline;
grant execute on function doubts_count() to millrace_pipeline;
