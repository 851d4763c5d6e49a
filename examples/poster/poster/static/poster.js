const title = document.querySelector('h1')
title.addEventListener('click', () => title.animate({ rotate: ['0deg', '360deg'] }, 600))
