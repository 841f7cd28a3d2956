-- Retention: what is kept for how long, and how what is due is found (docs/operating.md, docs/adr/0015).

-- How far a rule that walks through a table in the order of age has come. Whoever locks a row works
-- on its rule alone. Nobody's rows.
create table retention_walks (
    rule text primary key,                       -- store::retention::Walk
    through_at timestamptz not null,             -- business time of the last row looked at
    through_id uuid not null                     -- its id: many have the same time
);
insert into retention_walks (rule, through_at, through_id)
select rule, timestamptz 'epoch', '00000000-0000-0000-0000-000000000000'
from unnest(array['message_texts', 'messages', 'inbound_texts', 'ai_replies']) as k (rule);
revoke all on retention_walks from millrace_api;
revoke insert, delete on retention_walks from millrace_pipeline;

-- Messages that were not due when their walk came by: they ended late, or have not ended yet.
create table retention_waits (
    tenant_id text not null,
    rule text not null,                          -- store::retention::Walk
    message_id uuid not null,
    since timestamptz not null,                  -- business time: they are looked at again once it is as long ago as the rule keeps
    primary key (tenant_id, rule, message_id)
);
call protect('retention_waits');
call open_to_lookups('retention_waits');
create index retention_waits_by_since on retention_waits (rule, since);
revoke all on retention_waits from millrace_api;

-- Recipients that are no longer kept one by one, counted by how they ended: a ledger adds up to the
-- audience for as long as there is a campaign.
create table ended_recipients (
    tenant_id text not null,
    campaign_id uuid not null,
    state smallint not null,                     -- domain::state::MessageState; -1: never had a message
    gate text not null,                          -- of a block; '' otherwise
    no_receipt boolean not null,                 -- of those that were sent: no receipt came
    recipients bigint not null,
    released bigint not null,                    -- how many of them had been put aside
    segments bigint not null,                    -- of what the carrier took
    cost_micros bigint not null,                 -- of what the carrier took
    primary key (tenant_id, campaign_id, state, gate, no_receipt)
) with (fillfactor = 50);
call protect('ended_recipients');
revoke insert, update, delete on ended_recipients from millrace_api;

alter table messages
    add column text_expired_at timestamptz;      -- business time at which its text was removed; null: it has its text

-- Events that were counted before this are taken as counted now.
alter table counted_events
    add column counted_at timestamptz not null default now(); -- business time; the default is for older processes

alter table imports
    add column rows_kept boolean not null default true; -- false: its rows are gone

-- Age, of rows in which it never changes: no update touches these columns, so that updates stay HOT,
-- and an insert adds to the right end. Ids make each place one row's.
create index messages_by_age on messages (submitted_at, message_id);
create index inbound_texts_by_age on inbound_texts (received_at, inbound_id);
create index ai_replies_by_age on ai_replies (at, message_id);
create index counted_events_by_age on counted_events (counted_at);
create index idempotency_keys_by_age on idempotency_keys (created_at);
create index cancel_marks_by_age on cancel_marks (at);
create index taken_sids_by_age on taken_sids (taken_at);
create index budget_alerts_by_age on budget_alerts (window_start);
create index imports_by_age on imports (created_at);

call open_to_lookups('messages');
call open_to_lookups('inbound_texts');
call open_to_lookups('ai_replies');
call open_to_lookups('counted_events');
call open_to_lookups('idempotency_keys');
call open_to_lookups('cancel_marks');
call open_to_lookups('taken_sids');
call open_to_lookups('budget_alerts');
call open_to_lookups('imports');
call open_to_lookups('import_rows');
call open_to_lookups('counters');
call open_to_lookups('campaign_recipients');

-- The next rows of a walk, oldest first.
create function rows_by_age(walk text, after_at timestamptz, after_id uuid, until timestamptz, at_most bigint)
    returns table (tenant_id text, id uuid, at timestamptz)
    language plpgsql stable security definer set search_path = millrace, pg_temp
    as $$
begin
    if walk in ('messages', 'message_texts') then
        return query
            select m.tenant_id, m.message_id, m.submitted_at from messages m
            where (m.submitted_at, m.message_id) > (after_at, after_id) and m.submitted_at <= until
            order by m.submitted_at, m.message_id limit at_most;
    elsif walk = 'inbound_texts' then
        return query
            select i.tenant_id, i.inbound_id, i.received_at from inbound_texts i
            where (i.received_at, i.inbound_id) > (after_at, after_id) and i.received_at <= until
            order by i.received_at, i.inbound_id limit at_most;
    elsif walk = 'ai_replies' then
        return query
            select r.tenant_id, r.message_id, r.at from ai_replies r
            where (r.at, r.message_id) > (after_at, after_id) and r.at <= until
            order by r.at, r.message_id limit at_most;
    end if;
end $$;
grant execute on function rows_by_age(text, timestamptz, uuid, timestamptz, bigint) to millrace_pipeline;

-- Messages that a walk has left behind and that are to be looked at again.
create function retention_waiting(walk text, until timestamptz, at_most bigint)
    returns table (tenant_id text, message_id uuid)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select w.tenant_id, w.message_id from retention_waits w
        where w.rule = walk and w.since <= until
        order by w.since limit at_most
    $$;
grant execute on function retention_waiting(text, timestamptz, bigint) to millrace_pipeline;

-- Whose the oldest rows of a table are, among those that are not younger than an instant.
create function tenants_with_aged(aged text, until timestamptz, at_most bigint)
    returns table (tenant_id text)
    language plpgsql stable security definer set search_path = millrace, pg_temp
    as $$
begin
    if aged = 'inbound_texts' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from inbound_texts t where t.received_at <= until order by t.received_at limit at_most) o;
    elsif aged = 'ai_replies' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from ai_replies t where t.at <= until order by t.at limit at_most) o;
    elsif aged = 'counted_events' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from counted_events t where t.counted_at <= until order by t.counted_at limit at_most) o;
    elsif aged = 'idempotency_keys' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from idempotency_keys t where t.created_at <= until order by t.created_at limit at_most) o;
    elsif aged = 'cancel_marks' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from cancel_marks t where t.at <= until order by t.at limit at_most) o;
    elsif aged = 'taken_sids' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from taken_sids t where t.taken_at <= until order by t.taken_at limit at_most) o;
    elsif aged = 'budget_alerts' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from budget_alerts t where t.window_start <= until order by t.window_start limit at_most) o;
    elsif aged = 'imports' then
        return query select distinct o.tenant_id from (
            select t.tenant_id from imports t where t.created_at <= until order by t.created_at limit at_most) o;
    end if;
end $$;
grant execute on function tenants_with_aged(text, timestamptz, bigint) to millrace_pipeline;

-- Imports of an age whose rows are kept still.
create index imports_with_rows on imports (created_at) where rows_kept;
create function imports_with_aged_rows(until timestamptz, at_most bigint)
    returns table (tenant_id text, import_id uuid)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select i.tenant_id, i.import_id from imports i
        where i.rows_kept and i.created_at <= until
        order by i.created_at limit at_most
    $$;
grant execute on function imports_with_aged_rows(timestamptz, bigint) to millrace_pipeline;

-- Counters in key order behind one of them: schedule looks through them in turn.
create function counters_after(after_tenant text, after_kind text, after_key text, after_start timestamptz, at_most bigint)
    returns table (tenant_id text, kind text, key text, window_start timestamptz)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select c.tenant_id, c.kind, c.key, c.window_start from counters c
        where (c.tenant_id, c.kind, c.key, c.window_start) > (after_tenant, after_kind, after_key, after_start)
        order by c.tenant_id, c.kind, c.key, c.window_start limit at_most
    $$;
grant execute on function counters_after(text, text, text, timestamptz, bigint) to millrace_pipeline;

-- Campaigns that ended before an instant and have recipients still, in key order behind one of them.
create function ended_campaigns_after(after_tenant text, after_campaign uuid, until timestamptz, at_most bigint)
    returns table (tenant_id text, campaign_id uuid)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select c.tenant_id, c.campaign_id from campaigns c
        cross join lateral (
            select coalesce(c.completed_at, max(t.at), c.created_at) as at from campaign_transitions t
            where t.tenant_id = c.tenant_id and t.campaign_id = c.campaign_id
        ) ended
        where (c.tenant_id, c.campaign_id) > (after_tenant, after_campaign)
          and c.state in ('completed', 'stopped') and ended.at <= until
          and exists (select from campaign_recipients r
                      where r.tenant_id = c.tenant_id and r.campaign_id = c.campaign_id)
        order by c.tenant_id, c.campaign_id limit at_most
    $$;
grant execute on function ended_campaigns_after(text, uuid, timestamptz, bigint) to millrace_pipeline;
