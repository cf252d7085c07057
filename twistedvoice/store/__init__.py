"""What processes of one service share: places, tokens, leases, CDRs."""
