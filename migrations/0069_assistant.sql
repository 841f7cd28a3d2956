-- The assistant: what it is told, which conversations wait for it, and what it has used.

-- What the assistant of a company, a brand or an inbox goes by. Of several the most specific holds, whole.
create table assistant_settings (
    tenant_id text not null,
    scope text not null check (scope in ('company', 'brand', 'inbox')),
    target uuid not null,                        -- the brand or the inbox; the nil id for the company
    version bigint not null check (version > 0), -- raised by every change: two who change at once find out
    body jsonb not null check (octet_length(body::text) <= 131072), -- domain::assistant::AssistantSettings
    changed_at timestamptz not null,             -- business time
    changed_by text not null,                    -- the API key or user
    primary key (tenant_id, scope, target)
);
call protect('assistant_settings');
revoke insert, update, delete on assistant_settings from millrace_pipeline;

-- Who is limited to brands sees what holds for these, and what holds for all.
create policy brand on assistant_settings as restrictive to millrace_api
    using ((select brands_in_scope()) is null
        or scope = 'company'
        or (scope = 'brand' and target = any ((select brands_in_scope())::uuid[]))
        or (scope = 'inbox' and target = any ((select inboxes_in_scope())::uuid[])));

-- Texts that wait for one answer to all of them: a burst. It takes in what its person writes until nothing more came for a
-- few seconds. Once no further text joins it, it stays until its answer is at the broker.
create table reply_bursts (
    tenant_id text not null,
    burst_id uuid not null,                      -- the inbound_id of the first of its texts
    conversation_id uuid not null,
    epoch integer not null,                      -- of the conversation when the texts came
    inbound_id uuid not null,                    -- the last of its texts, which names the answer
    contact_id uuid not null,
    sender_id uuid not null,                     -- the sender that was texted
    number text not null,                        -- the person's address
    channel text not null,                       -- domain::message::class::Channel
    received_at timestamptz not null,            -- business time of the last of its texts
    trace text,                                  -- of the last of its texts
    began_at timestamptz not null,               -- machine time of the first of its texts
    due timestamptz not null,                    -- machine time from which it is answered
    leased_until timestamptz,                    -- machine time until which a process has it; null: nobody
    closed boolean not null default false,       -- no further text joins it: it is as old as bursts become, or was decided
    tries smallint not null default 0,           -- how often a process has taken it without an answer
    primary key (tenant_id, burst_id)
) with (fillfactor = 50);
call protect('reply_bursts');
call open_to_lookups('reply_bursts');
create unique index reply_bursts_open on reply_bursts (tenant_id, conversation_id) where not closed;
create index reply_bursts_in_order on reply_bursts (tenant_id, began_at);
create index reply_bursts_taken on reply_bursts (tenant_id, leased_until) where leased_until is not null;
create index reply_bursts_by_conversation on reply_bursts (tenant_id, conversation_id);
revoke all on reply_bursts from millrace_api;

-- What is to be answered, the longest waiting first: of each tenant at most `per_tenant`, those that processes have now
-- among them, so that one tenant's rush or slow model leaves places to others. Of a conversation the first burst alone.
-- Tenants that have any are found one after the other in the index: most have none.
create function due_bursts(machine timestamptz, per_tenant bigint, at_most bigint)
    returns table (tenant_id text, burst_id uuid)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        with recursive waiting as (
            (select b.tenant_id from reply_bursts b order by b.tenant_id limit 1)
            union all
            select (select n.tenant_id from reply_bursts n where n.tenant_id > w.tenant_id order by n.tenant_id limit 1)
            from waiting w where w.tenant_id is not null
        )
        select d.tenant_id, d.burst_id
        from waiting t
        cross join lateral (
            select count(*) as held from reply_bursts h
            where h.tenant_id = t.tenant_id and h.leased_until > machine
        ) busy
        cross join lateral (
            select c.tenant_id, c.burst_id, c.began_at
            from (
                select b.tenant_id, b.burst_id, b.conversation_id, b.began_at from reply_bursts b
                where b.tenant_id = t.tenant_id and b.due <= machine
                  and (b.leased_until is null or b.leased_until <= machine)
                order by b.began_at limit 2 * per_tenant
            ) c
            where not exists (select from reply_bursts o
                              where o.tenant_id = c.tenant_id and o.conversation_id = c.conversation_id
                                and (o.began_at, o.burst_id) < (c.began_at, c.burst_id))
            order by c.began_at limit greatest(per_tenant - busy.held, 0)
        ) d
        where t.tenant_id is not null
        order by d.began_at limit at_most
    $$;
grant execute on function due_bursts(timestamptz, bigint, bigint) to millrace_pipeline;

-- A text joins a burst once, however often it is delivered.
alter table inbound_texts
    add column burst_at timestamptz;             -- machine time at which it joined a burst; null: it did not

-- What the assistant has used today, by the settings that it went by: one row each, whose day moves on.
create table assistant_usage (
    tenant_id text not null,
    scope text not null,                         -- as in assistant_settings
    target uuid not null,
    day date not null,                           -- in the tenant's zone
    answers bigint not null,                     -- that the model has written
    tokens bigint not null,                      -- read and written
    cost_micros bigint not null,                 -- by the price of the settings
    primary key (tenant_id, scope, target)
) with (fillfactor = 50);
call protect('assistant_usage');
revoke insert, update, delete on assistant_usage from millrace_api;
create policy brand on assistant_usage as restrictive to millrace_api
    using ((select brands_in_scope()) is null
        or scope = 'company'
        or (scope = 'brand' and target = any ((select brands_in_scope())::uuid[]))
        or (scope = 'inbox' and target = any ((select inboxes_in_scope())::uuid[])));

-- How each answer was made.
alter table ai_replies
    add column model text,                       -- as the provider names it; null: none was asked
    add column cached_tokens bigint not null default 0, -- of input_tokens, those that came from the prompt's cache
    add column cost_micros bigint not null default 0, -- by the price of the settings; 0 without one
    add column latency_ms integer,               -- from the question to the end of its answer; null: none was asked
    add column confidence text,                  -- domain::assistant::Confidence; null: the model has not said
    add column qualification jsonb,              -- what the model has read of the person, by the settings' fields
    add column handed_off boolean not null default false; -- its conversation went to people with it
