
;; For the tests alone, at the end of asset-verification: every role to the contracts that the tests act through.

(define-private (grant-all (who principal))
  (begin
    (map-set roles { role: ROLE_REGISTRAR, who: who, region: "" } true)
    (map-set roles { role: ROLE_VERIFIER, who: who, region: "" } true)
    (map-set roles { role: ROLE_ARBITER, who: who, region: "" } true)
    (map-set roles { role: ROLE_ORACLE, who: who, region: "" } true)
    (map-set roles { role: ROLE_PAUSER, who: who, region: "" } true)
    (map-set roles { role: ROLE_GRID_OPERATOR, who: who, region: "test" } true)
  )
)

(map grant-all (list .plant .production-tracking .grid-integration .market-participation))
