-- Media: what came with texts, and what companies give to be sent. Their bytes lie in the object store, under
-- `<tenant_id>/<media_id>`.

create table media (
    tenant_id text not null,
    media_id uuid not null,                      -- domain::ids::MediaId
    direction text not null check (direction in ('in', 'out')),
    inbound_id uuid,                             -- the text that it came with; null: it came with none
    position smallint not null default 0,        -- its index among the media of that text
    contact_id uuid,                             -- who has sent it
    sender_id uuid,                              -- the sender that was texted
    account text,                                -- the carrier account that gives it; null: anybody's address
    url text not null check (length(url) <= 4096), -- where it is fetched; empty once it is stored or refused
    state text not null check (state in ('pending', 'stored', 'refused')),
    reason text,                                 -- domain::media::MediaRefusal
    media_type text,                             -- by its first bytes
    bytes bigint,                                -- how many there are
    sha256 bytea,                                -- of the bytes
    tries smallint not null default 0,           -- how often a process has taken it
    due timestamptz,                             -- machine time of the next try; null: there is none
    created_at timestamptz not null,             -- business time
    kept_from timestamptz not null,              -- business time from which retention counts; an erasure makes it the epoch
    primary key (tenant_id, media_id)
);
call protect('media');
call open_to_lookups('media');
create index media_due on media (tenant_id, due) where due is not null;
create index media_by_inbound on media (tenant_id, inbound_id, position) where inbound_id is not null;
create index media_by_contact on media (tenant_id, contact_id) where contact_id is not null;
create index media_by_age on media (kept_from);

-- Who is limited to brands sees what came to senders that they see, and what came to none.
create policy brand on media as restrictive to millrace_api
    using ((select brands_in_scope()) is null or sender_id is null or exists (
        select from senders s where s.tenant_id = media.tenant_id and s.sender_id = media.sender_id));

-- What is to be fetched, at most `per_tenant` of each tenant so that one backlog does not hide another tenant's picture.
create function due_media(machine timestamptz, per_tenant bigint, at_most bigint)
    returns table (tenant_id text, media_id uuid)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select m.tenant_id, m.media_id
        from tenants t
        cross join lateral (
            select d.tenant_id, d.media_id, d.due from media d
            where d.tenant_id = t.tenant_id and d.due <= machine
            order by d.due limit per_tenant
        ) m
        order by m.due limit at_most
    $$;
grant execute on function due_media(timestamptz, bigint, bigint) to millrace_pipeline;

-- What is kept long enough, the oldest first.
create function aged_media(until timestamptz, at_most bigint)
    returns table (tenant_id text, media_id uuid)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select m.tenant_id, m.media_id from media m
        where m.kept_from <= until order by m.kept_from limit at_most
    $$;
grant execute on function aged_media(timestamptz, bigint) to millrace_pipeline;
