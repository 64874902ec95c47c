-- The epoch whose holder may write; no row before the first manager.
SELECT epoch FROM leader WHERE only = 1;
