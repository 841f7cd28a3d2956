-- Look-ups that cost the same however much waits, for however many tenants (docs/performance.md).

-- Whom a parked message is for. An opt-out finds by it what is parked for an address: an expression of
-- the payload is no use for that, because under row-level security an index takes only conditions
-- that are leakproof, and `->>` is not. Postgres fills it in, also for rows that are there and for
-- those that older processes add. The rows are written anew: some seconds for half a million.
drop index parked_by_number;
alter table parked
    add column address text generated always as (payload -> 'head' ->> 'to') stored; -- domain::address::Address
create index parked_by_address on parked (address, tenant_id);
