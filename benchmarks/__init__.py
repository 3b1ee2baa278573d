"""Measurements that print ratios taken in one run. They are no tests; nothing fails by them."""
