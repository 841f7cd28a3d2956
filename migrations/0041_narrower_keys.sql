-- API keys that may do less than their role, that end by themselves, and that say when they were used last.

alter table api_keys
    add column scopes text[]                     -- permissions, as the api's table of roles names them; null: all of the role
        check (cardinality(scopes) between 1 and 50),
    add column expires_at timestamptz,           -- business time from which it signs nobody in; null: it works until it is revoked
    add column last_used_at timestamptz;         -- business time, noted once a minute at most

create function find_key(key_hash bytea)
    returns table (tenant_id text, key_id uuid, role text, scopes text[], expires_at timestamptz, last_used_at timestamptz)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select k.tenant_id, k.key_id, k.role, k.scopes, k.expires_at, k.last_used_at
        from api_keys k where k.hash = key_hash and k.revoked_at is null
    $$;
grant execute on function find_key(bytea) to millrace_api;

-- Processes from before ask this one, and know no limits of a key: a key that has some signs nobody in there.
create or replace function find_api_key(key_hash bytea)
    returns table (tenant_id text, key_id uuid, role text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select k.tenant_id, k.key_id, k.role from api_keys k
        where k.hash = key_hash and k.revoked_at is null and k.scopes is null and k.expires_at is null
    $$;
