-- What has moved is joined with what it was by hash. Sessions have hash and merge joins off (docs/adr/0005), the function
-- nested loops: with all three off the server takes a nested loop, which compares every row of a statement with every other.
alter function count_moved() set enable_hashjoin = on;
