;; Never answers. The host stops it at its limit; the outside sees 504.
(module
  (memory (export "memory") 1)
  (func (export "_start")
    (loop $forever (br $forever))))
