-- Operators look through orders from the newest back. Those of one state are found on that way: an index by state would be written twice for every order.
create index orders_by_age on orders (seq);
