-- The variant of a template that a message was made from is kept, and counted: groups of moves have it, and a campaign's
-- totals by variant are added up as its groups are folded (docs/adr/0016).

alter table messages add column variant text;     -- key of the template's variant; null: no template, or not known. It never changes
alter table moved_counts add column variant text; -- likewise

create or replace function count_made()
    returns trigger
    language plpgsql set search_path = millrace, pg_temp
    as $$
begin
    insert into moved_counts (tenant_id, minute_start, as_of, campaign_id, variant, sender_id, country, code, new_state,
                              new_detail, messages, released, segments, cost_micros)
    select n.tenant_id, date_trunc('minute', n.changed_at), max(n.changed_at), n.campaign_id, n.variant, n.sender_id,
           n.country, n.code, n.state, state_detail(n.state, n.gate, n.code), count(*), 0,
           coalesce(sum(n.segments) filter (where n.carrier_sid is not null), 0),
           coalesce(sum(n.cost_micros) filter (where n.carrier_sid is not null), 0)
    from made n
    group by 1, 2, 4, 5, 6, 7, 8, 9, 10;
    return null;
end $$;

-- Joins as 0033 and 0040 have them: by hash, whatever the session says.
create or replace function count_moved()
    returns trigger
    language plpgsql set search_path = millrace, pg_temp set enable_nestloop = off set enable_hashjoin = on
    as $$
begin
    insert into moved_counts (tenant_id, minute_start, as_of, campaign_id, variant, sender_id, country, code, old_state,
                              old_detail, new_state, new_detail, messages, released, segments, cost_micros)
    select n.tenant_id, date_trunc('minute', n.changed_at), max(n.changed_at), n.campaign_id, n.variant, n.sender_id,
           n.country, n.code, o.state, state_detail(o.state, o.gate, o.code), n.state,
           state_detail(n.state, n.gate, n.code), count(*), count(*) filter (where o.turn = 1 and n.turn > 1),
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
    group by 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12;
    return null;
end $$;

-- What is counted and no longer kept, by variant; empty: none.
alter table gone_counts add column variant text not null default '';
alter table gone_counts drop constraint gone_counts_pkey;
alter table gone_counts add primary key (tenant_id, campaign_id, variant, state, detail);

create or replace function count_gone()
    returns trigger
    language plpgsql set search_path = millrace, pg_temp
    as $$
begin
    insert into gone_counts as g (tenant_id, campaign_id, variant, state, detail, messages, released, segments,
                                  cost_micros)
    select o.tenant_id, coalesce(o.campaign_id, '00000000-0000-0000-0000-000000000000'), coalesce(o.variant, ''), o.state,
           coalesce(state_detail(o.state, o.gate, o.code), ''), count(*), count(*) filter (where o.turn > 1),
           coalesce(sum(o.segments) filter (where o.carrier_sid is not null), 0),
           coalesce(sum(o.cost_micros) filter (where o.carrier_sid is not null), 0)
    from gone o
    group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
    on conflict (tenant_id, campaign_id, variant, state, detail) do update
    set messages = g.messages + excluded.messages, released = g.released + excluded.released,
        segments = g.segments + excluded.segments, cost_micros = g.cost_micros + excluded.cost_micros;
    return null;
end $$;

-- What the messages of a campaign are counted as, by variant: what was folded of those that have one.
create table variant_totals (
    tenant_id text not null,
    campaign_id uuid not null,
    variant text not null,
    state smallint not null,                     -- domain::state::MessageState
    detail text not null,                        -- state_detail; empty: none
    messages bigint not null,
    released bigint not null,                    -- what moves into the state has added, as in moved_counts
    segments bigint not null,
    cost_micros bigint not null,
    primary key (tenant_id, campaign_id, variant, state, detail)
) with (fillfactor = 50);
call protect('variant_totals');

-- Whoever folds groups into the totals, of whichever version, removes their rows: these totals follow in that statement.
create function count_folded()
    returns trigger
    language plpgsql set search_path = millrace, pg_temp
    as $$
begin
    insert into variant_totals as t (tenant_id, campaign_id, variant, state, detail, messages, released, segments,
                                     cost_micros)
    select f.tenant_id, f.campaign_id, f.variant, s.state, coalesce(s.detail, ''), sum(s.messages), sum(s.released),
           sum(s.segments), sum(s.cost_micros)
    from folded f
    cross join lateral (values
        (f.new_state, f.new_detail, f.messages, f.released, f.segments, f.cost_micros),
        (f.old_state, f.old_detail, -f.messages, 0, 0, 0)
    ) s (state, detail, messages, released, segments, cost_micros)
    where f.campaign_id is not null and f.variant is not null and s.state is not null
    group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
    on conflict (tenant_id, campaign_id, variant, state, detail) do update
    set messages = t.messages + excluded.messages, released = t.released + excluded.released,
        segments = t.segments + excluded.segments, cost_micros = t.cost_micros + excluded.cost_micros;
    return null;
end $$;
create trigger count_folded after delete on moved_counts
    referencing old table as folded
    for each statement execute function count_folded();
