"""Who and when: patients, consent, diagnosis, visits, laboratory."""
