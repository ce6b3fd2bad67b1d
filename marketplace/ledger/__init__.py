"""The contract as typed Python: ids, signatures, calls, reads and events. The only home of web3 and eth-account."""
