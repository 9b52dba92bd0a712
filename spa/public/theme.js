// Before anything is drawn: the theme that was chosen here, else the system's.
;(() => {
  const chosen = localStorage.getItem('ringnode.theme')
  const dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.classList.toggle('dark', dark)
})()
