@rem What `exec` is to the shells of other systems: npm start begins with it.
@%*
