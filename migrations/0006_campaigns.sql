-- Campaigns and their frozen audiences.

create table campaigns (
    tenant_id text not null,
    campaign_id uuid not null,
    name text not null,
    state text not null default 'draft'
        check (state in ('draft', 'starting', 'running', 'paused', 'stopped', 'completed')),
    class text not null check (class in ('promo', 'journey', 'transactional')),
    template_id uuid not null,
    template_version integer,                    -- fixed at start
    pool_id uuid not null,
    audience jsonb not null,                     -- {tags: [..]}: contacts with all of these tags; {} is everyone
    validity_seconds integer,                    -- 1..; none: until the gates say otherwise
    audience_size bigint not null default 0,     -- recipients frozen so far
    frozen_through uuid,                         -- the last contact looked at while freezing
    cursor bigint not null default 0,            -- recipients below it have been published
    settled_below bigint not null default 0,     -- recipients below it need not be counted again
    leased_until timestamptz,                    -- machine time; one audience process at a time
    paused_from text check (paused_from in ('starting', 'running')), -- where resume leads back to
    version bigint not null default 1,
    created_at timestamptz not null,
    started_at timestamptz,
    completed_at timestamptz,
    primary key (tenant_id, campaign_id)
) with (fillfactor = 50);
call protect('campaigns');
call open_to_lookups('campaigns');

create table campaign_recipients (
    tenant_id text not null,
    campaign_id uuid not null,
    seq bigint not null,                         -- from 0, without gaps
    contact_id uuid not null,
    message_id uuid not null,                    -- v5(campaign, contact, step)
    primary key (tenant_id, campaign_id, seq)
);
call protect('campaign_recipients');

-- What was done to a campaign, and the version that it made: the same act, asked for again, names
-- the same event. Also the outbox of these events: a row stays unpublished until its PubAck.
create table campaign_transitions (
    tenant_id text not null,
    campaign_id uuid not null,
    version bigint not null,
    act text not null check (act in ('start', 'pause', 'resume', 'stop')),
    audience bigint not null,                    -- recipients frozen at that time
    at timestamptz not null,                     -- business time
    published boolean not null default false,
    primary key (tenant_id, campaign_id, version)
) with (fillfactor = 50);
call protect('campaign_transitions');
call open_to_lookups('campaign_transitions');
create index campaign_transitions_unpublished on campaign_transitions (tenant_id) where not published;
create index campaign_recipients_by_contact on campaign_recipients (tenant_id, contact_id); -- which campaign an answer is to
