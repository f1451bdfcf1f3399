"""Tests of acp-tui, in folders that mirror the code; support/ and lab/kit/ hold what they share."""
