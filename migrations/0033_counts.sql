-- Counts are recorded with the transition (docs/adr/0016): whatever statement moves messages adds one row per group of
-- equal moves, under the locks that it holds. Each row is said as `events.<tenant>.counts.moved`, and rollup folds it
-- into the totals.

alter table messages add column country text;    -- domain::country::Country of the address; null where it is not known

create table moved_counts (
    tenant_id text not null,
    group_id uuid not null default gen_random_uuid(),
    minute_start timestamptz not null,           -- business time of the moves, at the beginning of its minute
    as_of timestamptz not null,                  -- business time of the latest of them
    campaign_id uuid,
    sender_id uuid,
    country text,
    code text,                                   -- the reason, or the carrier's error
    old_state smallint,                          -- domain::state::MessageState; null: there was no message
    old_detail text,
    new_state smallint not null,
    new_detail text,
    messages bigint not null,
    released bigint not null,                    -- of these, those that came into their second turn
    segments bigint not null,                    -- by how much what the carrier took has changed
    cost_micros bigint not null,
    said_at timestamptz,                         -- machine time at which rollup was last told of it; null: not yet
    primary key (tenant_id, group_id)
) with (fillfactor = 50);
create index moved_counts_by_saying on moved_counts (said_at);
create index moved_counts_by_campaign on moved_counts (campaign_id) where campaign_id is not null;
call protect('moved_counts');
call open_to_lookups('moved_counts');

-- What of its state a message is counted as, beside the state: the gate that blocked it, the pace of its sender that it
-- waits for, or that its receipt never came, which ends it.
create function state_detail(state smallint, gate text, code text)
    returns text
    language sql immutable parallel safe
    as $$
        select case when state = 10 then gate
                    when state = 1 and code = 'pace' then code
                    when state = 20 and code = 'no_receipt' then code end
    $$;
grant execute on function state_detail(smallint, text, text) to millrace_api, millrace_pipeline;

create function count_made()
    returns trigger
    language plpgsql set search_path = millrace, pg_temp
    as $$
begin
    insert into moved_counts (tenant_id, minute_start, as_of, campaign_id, sender_id, country, code, new_state, new_detail,
                              messages, released, segments, cost_micros)
    select n.tenant_id, date_trunc('minute', n.changed_at), max(n.changed_at), n.campaign_id, n.sender_id, n.country,
           n.code, n.state, state_detail(n.state, n.gate, n.code), count(*), 0,
           coalesce(sum(n.segments) filter (where n.carrier_sid is not null), 0),
           coalesce(sum(n.cost_micros) filter (where n.carrier_sid is not null), 0)
    from made n
    group by 1, 2, 4, 5, 6, 7, 8, 9;
    return null;
end $$;
create trigger count_made after insert on messages
    referencing new table as made
    for each statement execute function count_made();

-- Nested loops are off: the plan is made for the first statement of a session, and kept for larger ones.
create function count_moved()
    returns trigger
    language plpgsql set search_path = millrace, pg_temp set enable_nestloop = off
    as $$
begin
    insert into moved_counts (tenant_id, minute_start, as_of, campaign_id, sender_id, country, code, old_state, old_detail,
                              new_state, new_detail, messages, released, segments, cost_micros)
    select n.tenant_id, date_trunc('minute', n.changed_at), max(n.changed_at), n.campaign_id, n.sender_id, n.country,
           n.code, o.state, state_detail(o.state, o.gate, o.code), n.state, state_detail(n.state, n.gate, n.code),
           count(*), count(*) filter (where o.turn = 1 and n.turn > 1),
           sum(case when n.carrier_sid is null then 0 else n.segments end
               - case when o.carrier_sid is null then 0 else o.segments end),
           sum(case when n.carrier_sid is null then 0 else n.cost_micros end
               - case when o.carrier_sid is null then 0 else o.cost_micros end)
    from moved n
    join were o on o.tenant_id = n.tenant_id and o.message_id = n.message_id
    where n.state <> o.state
       or state_detail(n.state, n.gate, n.code) is distinct from state_detail(o.state, o.gate, o.code)
       or o.turn = 1 and n.turn > 1
       or n.carrier_sid is not null
          and (o.carrier_sid is null or (n.segments, n.cost_micros) <> (o.segments, o.cost_micros))
    group by 1, 2, 4, 5, 6, 7, 8, 9, 10, 11;
    return null;
end $$;
create trigger count_moved after update on messages
    referencing old table as were new table as moved
    for each statement execute function count_moved();

-- What was counted so far is where everything moves from. Nobody moves or counts anything meanwhile: creating a
-- trigger keeps writers of `messages` out. An older rollup counts messages from their events, each once by its row in
-- counted_messages; from here on it finds nothing that is new. The table goes with a later version.
lock table counted_messages in access exclusive mode;
create policy once on counted_messages for select to millrace_owner using (true);
create policy once on messages for select to millrace_owner using (true);
create policy once on moved_counts for insert to millrace_owner with check (true);
insert into moved_counts (tenant_id, minute_start, as_of, campaign_id, sender_id, code, old_state, old_detail, new_state,
                          new_detail, messages, released, segments, cost_micros)
select m.tenant_id, date_trunc('minute', m.changed_at), max(m.changed_at), m.campaign_id, m.sender_id, m.code, c.state,
       c.gate, m.state, state_detail(m.state, m.gate, m.code), count(*), count(*) filter (where m.turn > 1),
       sum(case when m.carrier_sid is null then 0 else m.segments end - coalesce(c.segments, 0)),
       sum(case when m.carrier_sid is null then 0 else m.cost_micros end - coalesce(c.cost_micros, 0))
from messages m
left join counted_messages c on c.tenant_id = m.tenant_id and c.message_id = m.message_id
where m.state is distinct from c.state
   or state_detail(m.state, m.gate, m.code) is distinct from c.gate
   or m.turn > 1
   or (case when m.carrier_sid is null then 0 else m.segments end,
       case when m.carrier_sid is null then 0 else m.cost_micros end) <> (c.segments, c.cost_micros)
group by 1, 2, 4, 5, 6, 7, 8, 9, 10;
drop policy once on counted_messages;
drop policy once on messages;
drop policy once on moved_counts;

truncate counted_messages;
create function count_nothing()
    returns trigger
    language plpgsql
    as $$ begin return null; end $$;
create trigger count_nothing before insert on counted_messages
    for each row execute function count_nothing();

-- Groups that rollup was not told of, or was told of before an instant and has not folded.
create function unfolded_counts(before timestamptz, at_most bigint)
    returns table (tenant_id text, group_id uuid)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select f.* from (
            (select m.tenant_id, m.group_id from moved_counts m where m.said_at is null limit at_most)
            union all
            (select m.tenant_id, m.group_id from moved_counts m where m.said_at < before order by m.said_at limit at_most)
        ) f limit at_most
    $$;
grant execute on function unfolded_counts(timestamptz, bigint) to millrace_pipeline;

-- What is counted and no longer kept: a recount from the rows adds this.
create table gone_counts (
    tenant_id text not null,
    campaign_id uuid not null,                   -- nil: of no campaign
    state smallint not null,
    detail text not null,                        -- state_detail; empty: none
    messages bigint not null,
    released bigint not null,
    segments bigint not null,
    cost_micros bigint not null,
    primary key (tenant_id, campaign_id, state, detail)
) with (fillfactor = 50);
call protect('gone_counts');

create function count_gone()
    returns trigger
    language plpgsql set search_path = millrace, pg_temp
    as $$
begin
    insert into gone_counts as g (tenant_id, campaign_id, state, detail, messages, released, segments, cost_micros)
    select o.tenant_id, coalesce(o.campaign_id, '00000000-0000-0000-0000-000000000000'), o.state,
           coalesce(state_detail(o.state, o.gate, o.code), ''), count(*), count(*) filter (where o.turn > 1),
           coalesce(sum(o.segments) filter (where o.carrier_sid is not null), 0),
           coalesce(sum(o.cost_micros) filter (where o.carrier_sid is not null), 0)
    from gone o
    group by 1, 2, 3, 4 order by 1, 2, 3, 4
    on conflict (tenant_id, campaign_id, state, detail) do update
    set messages = g.messages + excluded.messages, released = g.released + excluded.released,
        segments = g.segments + excluded.segments, cost_micros = g.cost_micros + excluded.cost_micros;
    return null;
end $$;
create trigger count_gone after delete on messages
    referencing old table as gone
    for each statement execute function count_gone();
