-- Merges of contacts, as long as they can be undone.

create table contact_merges (
    tenant_id text not null,
    merge_id uuid not null,
    contact_id uuid not null,                    -- who has taken the other in
    merged_id uuid not null,                     -- who was taken in
    cards uuid[] not null,                       -- the rows of contacts that went over: merged_id, and those that pointed to it
    addresses jsonb not null,                    -- what went over with them: [[kind, address]]
    before jsonb not null,                       -- the fields of contact_id before
    after jsonb not null,                        -- as the merge has left them
    statuses jsonb not null,                     -- stops of the addresses to which those of the others were written, as they were
    merged_at timestamptz not null,              -- business time
    merged_by text not null,                     -- API key, user, stage
    undone_at timestamptz,                       -- business time; null: it stands
    undone_by text,
    primary key (tenant_id, merge_id)
);
call protect('contact_merges');
call open_to_lookups('contact_merges');
create index contact_merges_of_contact on contact_merges (contact_id, merged_at, merge_id);
create index contact_merges_of_merged on contact_merges (merged_id);
create index contact_merges_by_age on contact_merges (merged_at);

-- The tenants of the oldest merges.
create function tenants_with_aged_merges(until timestamptz, at_most bigint)
    returns table (tenant_id text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select distinct o.tenant_id from (
            select m.tenant_id from contact_merges m where m.merged_at <= until order by m.merged_at limit at_most) o
    $$;
grant execute on function tenants_with_aged_merges(timestamptz, bigint) to millrace_pipeline;
