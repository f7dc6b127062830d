@rem Scripts in package.json begin with exec, so that a signal to npm reaches the node; cmd knows no such word.
@%*
